import type { Resource } from '../router.ts'
import { actionsResources } from './actions.ts'

/** Every resource file has one line here; the order does not matter. */
export const resources: readonly Resource[] = [...actionsResources]
