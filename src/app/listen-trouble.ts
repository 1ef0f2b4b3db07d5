import { type Fault, type Problem, RingmasterError } from '../core/problem.ts'

interface Address {
  readonly host: string
  readonly port: number
}

interface Row {
  readonly fault: Fault
  readonly problem: (address: Address) => Problem
}

const notOurs: Row = {
  fault: 'bad-input',
  problem: ({ host }) => ({
    code: 'setting-invalid',
    message: `expected an address of this machine in HOST, found ${host}`,
    hint: 'Leave HOST out to listen on localhost, or give 0.0.0.0 to listen on every address.',
  }),
}

const ROWS: ReadonlyMap<unknown, Row> = new Map([
  [
    'EADDRINUSE',
    {
      fault: 'outside',
      problem: ({ host, port }) => ({
        code: 'port-in-use',
        message: `expected port ${port} of ${host} to be free, found that another program listens there`,
        hint: 'End that program, or set PORT to another number.',
      }),
    },
  ],
  [
    'EACCES',
    {
      fault: 'bad-input',
      problem: ({ port }) => ({
        code: 'setting-invalid',
        message: `expected a port that this user may listen on in PORT, found ${port}`,
        hint: 'Ports below 1024 are often kept for the administrator: take a higher one.',
      }),
    },
  ],
  ['EADDRNOTAVAIL', notOurs],
  ['ENOTFOUND', notOurs],
  ['EAI_AGAIN', notOurs],
  ['EINVAL', notOurs],
])

/** What keeps a server from listening, said for who set HOST and PORT; other errors as they are. */
export function listenTrouble(error: NodeJS.ErrnoException, address: Address): Error {
  const row = ROWS.get(error.code)
  return row ? new RingmasterError(row.fault, row.problem(address), { cause: error }) : error
}
