/** Ends a test run with one plain line, for tools that read logs: `N passed, M failed`. */
export default class PlainReporter {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numFailedTestSuites }) {
    const failed = Math.max(numFailedTests, numFailedTestSuites)
    process.stdout.write(`\n${numPassedTests} passed, ${failed} failed\n`)
  }
}
