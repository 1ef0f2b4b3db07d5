import { issueIdToken, issuerUrl, keySet } from '../actions/id-token.ts'
import { ok, Refusal, type Resource, route } from '../router.ts'

/** The identity provider of jobs (token.actions.githubusercontent.com): no part of GitHub's REST description. */
export const oidc: Resource = {
  routes: [
    route('GET /oidc/.well-known/openid-configuration', 'anyone', ({ world }) =>
      ok({
        issuer: issuerUrl(world),
        jwks_uri: `${issuerUrl(world)}/.well-known/jwks`,
        subject_types_supported: ['public', 'pairwise'],
        response_types_supported: ['id_token'],
        id_token_signing_alg_values_supported: ['RS256'],
        scopes_supported: ['openid'],
      }),
    ),
    route('GET /oidc/.well-known/jwks', 'anyone', ({ world }) => ok(keySet(world))),
    route('GET /oidc/token', 'anyone', ({ world, credential, query }) => {
      const value = issueIdToken(world, credential, query.get('audience'))
      if (value === undefined) throw new Refusal(401, 'The request token is not that of a running job.')
      return ok({ count: value.length, value })
    }),
  ],
}
