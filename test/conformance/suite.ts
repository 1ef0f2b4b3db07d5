/** What came of one file of worked cases. */
export interface SuiteResult {
  readonly passed: number
  readonly failed: readonly { readonly id: string; readonly why: string }[]
}

/** One suite of worked cases; `npm run conformance -- NAME [FILE]` runs it. */
export interface Suite {
  /** The default case files, by absolute path. */
  readonly files: readonly string[]
  /** Runs every case of a file; a case that cannot be read is a failure. Throws where the file cannot be read. */
  readonly run: (file: string) => Promise<SuiteResult>
}
