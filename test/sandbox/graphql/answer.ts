import type { Identity } from '../identity.ts'
import type { Answer } from '../router.ts'
import type { World } from '../world.ts'

export async function answerGraphql(
  _world: World,
  _identity: Identity,
  _text: string,
  _trace: { fields: readonly string[] },
): Promise<Answer> {
  return { status: 501 }
}
