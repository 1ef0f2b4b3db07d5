/** The oracles ship no types: only what the tests call. */
declare module '@semantic-release/commit-analyzer' {
  export function analyzeCommits(
    options: { readonly parserOpts: object; readonly releaseRules?: readonly object[] },
    context: {
      readonly cwd: string
      readonly commits: readonly { readonly hash: string; readonly message: string }[]
      readonly logger: { readonly log: () => void }
    },
  ): Promise<string | null>
}

declare module 'conventional-changelog-angular' {
  export default function createPreset(): { readonly parser: object }
}

declare module 'conventional-changelog-conventionalcommits' {
  export default function createPreset(): {
    readonly parser: object
    readonly whatBump: (commits: readonly object[]) => { readonly level: number }
  }
}
