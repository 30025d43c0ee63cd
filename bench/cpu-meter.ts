import { readFileSync } from 'node:fs'
import type { BenchService } from './service.js'

/** Linux counts the CPU of a process in hundredths of a second. */
const tickUs = 10_000

/**
 * Begins to count the CPU of this process and of the database's connections, which says more than a rate does on a
 * machine with neighbours.
 *
 * @returns what ends the count and divides it by so many statements or requests.
 */
export async function cpuMeter({ pool }: Pick<BenchService, 'pool'>): Promise<(times: number) => Promise<string>> {
  const own = process.cpuUsage()
  const backends = await backendUs(pool)
  return async times => {
    const { user, system } = process.cpuUsage(own)
    const after = await backendUs(pool)
    const spent = [...after].reduce((sum, [pid, us]) => sum + us - (backends.get(pid) ?? 0), 0)
    const each = (us: number) => (us / times).toFixed(0)
    return `CPU of each: service ${each(user + system)} µs, PostgreSQL ${each(spent)} µs`
  }
}

/** The CPU that each connection's process has had, user and system; none where there is no /proc. */
async function backendUs(pool: BenchService['pool']): Promise<ReadonlyMap<number, number>> {
  const { rows } = await pool.query<{ pid: number }>('select pid from pg_stat_activity where client_port is not null')
  return new Map(rows.map(({ pid }) => [pid, cpuUs(pid)]))
}

/** @see proc(5), /proc/pid/stat, fields 14 and 15 */
function cpuUs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * tickUs
  } catch {
    return 0
  }
}
