import type { NotesOptions } from '../core/version/notes.ts'
import type { Inputs } from './read-inputs.ts'

/** For whom notes are, and what those read about, as a step asks for it. */
export const audienceOf = ({
  audience,
  externalTypes,
  internalScopes,
}: Inputs): Pick<NotesOptions, 'audience' | 'externalTypes' | 'internalScopes'> => ({
  ...{ audience, internalScopes },
  ...(externalTypes === null ? {} : { externalTypes }),
})
