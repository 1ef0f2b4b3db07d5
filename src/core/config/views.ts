import type { Configuration } from './schema.ts'

/** Which files for plain clients stand beside the manifests. */
export interface ViewsPlan {
  readonly cohorts: readonly {
    readonly cohort: string
    readonly checksums: boolean
    readonly graphTargets: readonly string[]
    readonly tally: boolean
  }[]
  readonly rings: readonly {
    readonly ring: string
    readonly label: string
    readonly packages: readonly { readonly product: string; readonly cohort: string }[]
  }[]
}

/** The views that a configuration asks for: of cohorts, and the download pages of rings. */
export function viewsPlan({ cohorts, rings }: Pick<Configuration, 'cohorts' | 'rings'>): ViewsPlan {
  return {
    cohorts: cohorts.flatMap(({ id, views }) => (views === undefined ? [] : [{ cohort: id, ...views }])),
    rings: rings
      .filter(({ downloads }) => downloads === true)
      .map(({ ring, label, cohorts: served }) => ({
        ring,
        label,
        packages: cohorts.filter(({ id }) => served.includes(id)).map(({ id, product }) => ({ product, cohort: id })),
      })),
  }
}
