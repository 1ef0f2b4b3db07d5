/**
 * Whether something was made through GitHub's own App, whose identity only a workflow run holds: the `app` of a check run,
 * the `performed_via_github_app` of a deployment and its statuses.
 */
export const isByActions = (app: { readonly slug?: string | null | undefined } | null | undefined): boolean =>
  app?.slug === 'github-actions'
