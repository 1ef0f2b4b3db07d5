import type { ChannelRelease, DeviceReport } from './schema.ts'

/** What a device that runs a release reports: all three values, as the documented clients do. */
export const reportOf = ({ id, bundle, version }: ChannelRelease): DeviceReport => ({
  release: id,
  bundle,
  ...(version === undefined ? {} : { version }),
})
