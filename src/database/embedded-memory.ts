const mebibyte = 2 ** 20

/**
 * Settings of the embedded server that go with the memory that there is, which the service and whatever else runs on the
 * machine share.
 *
 * `shared_buffers`: an eighth, 128 MB to 2 GB. `work_mem`, what each sort of a query may take, and twice as much each of
 * its hash tables: a thousandth, 4 to 32 MB; with 4 MB the metrics of 20,000 people sorted on disk. Indexes are built in
 * `maintenance_work_mem`: a 64th, 64 to 512 MB. `effective_cache_size` is an expectation and takes nothing: half.
 *
 * @param bytes the memory of the machine, or what its processes may take of it.
 */
export function memorySettings(bytes: number): Readonly<Record<string, string>> {
  const part = (share: number, least: number, most: number) =>
    `${Math.floor(Math.min(most, Math.max(least, bytes / mebibyte / share)))}MB`
  return {
    shared_buffers: part(8, 128, 2048),
    work_mem: part(1024, 4, 32),
    maintenance_work_mem: part(64, 64, 512),
    effective_cache_size: part(2, 128, Number.MAX_SAFE_INTEGER)
  }
}
