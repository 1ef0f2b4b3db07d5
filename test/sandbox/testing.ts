/** `accepted`, or the status and text of the refusal, for tables of what GitHub refuses. */
export const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => {
      const { status, message } = error as { status?: number; message: string }
      return `${status} ${message.replace(/ - https:\/\/docs\.github\.com\S*$/, '')}`
    },
  )
