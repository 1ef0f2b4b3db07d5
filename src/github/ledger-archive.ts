import type { Octokit } from '@octokit/rest'
import { sha256 } from '../core/json.ts'
import { splitName } from './client.ts'
import { outside, outsideOrNull, statusOf } from './trouble.ts'

export interface ArchiveToKeep {
  /** The name of the release, of its tag, and of the file before its ending. */
  readonly name: string
  /** The last commit of the epoch, at which the tag stands. */
  readonly commit: string
  readonly text: string
  readonly bytes: Uint8Array
}

export interface KeptArchive {
  readonly url: string
  readonly outcome: 'uploaded' | 'replaced' | 'there already'
}

interface Asset {
  readonly id: number
  readonly name: string
  readonly digest?: string | null
  readonly browser_download_url: string
}

interface Release {
  readonly id: number
  readonly body?: string | null
  readonly upload_url: string
  readonly assets: readonly Asset[]
}

/**
 * Keeps an archive as the asset of a release of its own, never the latest one. Found there, the same file stays and another
 * is replaced; interrupted anywhere it is repeated. Throws GitHub's trouble.
 */
export async function keepArchive(octokit: Octokit, fullName: string, archive: ArchiveToKeep): Promise<KeptArchive> {
  const { name, bytes } = archive
  const at = splitName(fullName)
  const release = await releaseOf(octokit, fullName, archive)
  const file = `${name}.tar.gz`
  const old = release.assets.find((asset) => asset.name === file)
  if (old?.digest === sha256(bytes)) return { url: old.browser_download_url, outcome: 'there already' }
  if (old !== undefined)
    await outside(`take the old ${file} away`, () =>
      octokit.request('DELETE /repos/{owner}/{repo}/releases/assets/{asset_id}', { ...at, asset_id: old.id }),
    )
  const { data } = await outside(`upload ${file}`, () =>
    octokit.request({
      method: 'POST',
      url: release.upload_url,
      name: file,
      headers: { 'content-type': 'application/gzip', 'content-length': bytes.length },
      data: Buffer.from(bytes),
    }),
  )
  if (release.body !== archive.text)
    await outside(`describe the release ${name}`, () =>
      octokit.request('PATCH /repos/{owner}/{repo}/releases/{release_id}', {
        ...at,
        release_id: release.id,
        body: archive.text,
      }),
    )
  const { browser_download_url: url } = data as Asset
  return { url, outcome: old === undefined ? 'uploaded' : 'replaced' }
}

async function releaseOf(octokit: Octokit, fullName: string, { name, commit, text }: ArchiveToKeep): Promise<Release> {
  const at = splitName(fullName)
  const look = () =>
    outsideOrNull(`look for the release ${name}`, () =>
      octokit.request('GET /repos/{owner}/{repo}/releases/tags/{tag}', { ...at, tag: name }),
    )
  const there = await look()
  if (there !== null) return there.data
  return outside(`make the release ${name}`, async () => {
    try {
      const { data } = await octokit.request('POST /repos/{owner}/{repo}/releases', {
        ...at,
        tag_name: name,
        target_commitish: commit,
        name,
        body: text,
        make_latest: 'false',
      })
      return data
    } catch (error) {
      // Somebody was faster.
      const other = statusOf(error) === 422 ? await look() : null
      if (other === null) throw error
      return other.data
    }
  })
}
