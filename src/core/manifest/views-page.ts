import { instantMs } from '../cohort/instant.ts'
import { publicName } from './names.ts'
import { newestOpen, targetsOf, type ViewSource, viewReleases } from './views.ts'

/** One ring's downloads: what everybody may take of each cohort that it serves. */
export interface RingDownloads {
  /** The ring's number, as decimal text. */
  readonly ring: string
  readonly label: string
  readonly packages: readonly { readonly product: string; readonly source: ViewSource }[]
}

/** What is behind an always-latest name now. */
export interface Download {
  /** Stable: the same for every version. */
  readonly name: string
  readonly product: string
  readonly target: string
  readonly version: string
  readonly url: string
  readonly sha256: string
  readonly size: number
}

/** The newest artifacts open to everybody, by always-latest name; of two cohorts of a product the higher version. */
export function downloadsOf(ring: RingDownloads): readonly Download[] {
  const downloads = new Map<string, Download>()
  const orders = new Map<string, ReturnType<typeof newestOpen>>()
  for (const { product, source } of ring.packages) {
    if ((instantMs(source.now) ?? 0) >= (instantMs(source.manifest.expiresAt) ?? 0)) continue
    for (const target of targetsOf(source)) {
      const name = `${publicName(product)}-${publicName(target)}-latest`
      const known = orders.get(name)
      const candidates = [...viewReleases(source, target).releases, ...(known === undefined ? [] : [known])]
      const newest = newestOpen(candidates, target, source.now)
      if (newest === undefined) continue
      orders.set(name, newest)
      const { url, sha256, size } = newest.artifact
      downloads.set(name, { name, product, target, version: newest.version, url, sha256, size })
    }
  }
  return [...downloads.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

/** Direction marks and controls would let a name show as another one. */
const escapeHtml = (text: string): string =>
  text
    .replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (mark) => ENTITIES.get(mark) ?? mark)

/** Only what a browser fetches as it says; anything else leads nowhere. */
const hrefOf = (url: string): string => (/^https?:\/\//i.test(url) ? escapeHtml(url) : '#')

const MEGABYTE = 1_000_000
const sizeText = (bytes: number): string =>
  bytes < MEGABYTE ? `${bytes} bytes` : `${(bytes / MEGABYTE).toFixed(1)} MB`

/** No script runs and nothing is loaded, whatever a name holds. */
const HEAD = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="default-src 'none'">`

const page = (title: string, body: string, head = ''): string =>
  `<!doctype html>\n<html lang="en"><head>${HEAD}${head}<title>${escapeHtml(title)}</title></head>\n<body>\n${body}\n</body></html>\n`

const row = ({ name, product, target, version, sha256, size }: Download): string =>
  `<tr><td>${escapeHtml(product)}</td><td>${escapeHtml(target)}</td><td>${escapeHtml(version)}</td><td><a href="${name}.html">${name}</a></td><td>${sizeText(size)}</td><td><code>${sha256}</code></td></tr>`

const listPage = (ring: RingDownloads, downloads: readonly Download[]): string => {
  const title = `Ring ${ring.ring}: ${ring.label}`
  const rows = downloads.map(row).join('\n')
  const list = `<table>\n<tr><th>Product</th><th>Target</th><th>Version</th><th>Always the latest</th><th>Size</th><th>SHA-256</th></tr>\n${rows}\n</table>`
  return page(
    title,
    `<h1>${escapeHtml(title)}</h1>\n${downloads.length === 0 ? '<p>Nothing is open to everybody yet.</p>' : list}`,
  )
}

/** A static host cannot redirect; a page that sends the browser on can. */
const latestPage = ({ name, version, url }: Download): string =>
  page(
    name,
    `<p><a href="${hrefOf(url)}">${escapeHtml(name)}: ${escapeHtml(version)}</a></p>`,
    /^https?:\/\//i.test(url) ? `<meta http-equiv="refresh" content="0; url=${escapeHtml(url)}">` : '',
  )

/**
 * The files of a ring's download page, by path below the views: `index.html` for people, one page for each
 * always-latest name, and `latest.json` for programs. Phases are no matter here: only what is open to everybody is shown.
 */
export function ringPages(ring: RingDownloads): ReadonlyMap<string, string> {
  const downloads = downloadsOf(ring)
  const folder = `rings/${publicName(ring.ring)}`
  const latest = { schema: 'ringmaster/latest/1', ring: ring.ring, label: ring.label, downloads }
  return new Map([
    [`${folder}/index.html`, listPage(ring, downloads)],
    [`${folder}/latest.json`, `${JSON.stringify(latest, null, 2)}\n`],
    ...downloads.map((download): [string, string] => [`${folder}/${download.name}.html`, latestPage(download)]),
  ])
}
