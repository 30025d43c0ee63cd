/** And, where null is "not known": false beside anything is false, true beside null is null. */
export function both(a: boolean | null, b: boolean | null): boolean | null {
  if (a === false || b === false) return false
  return a === null || b === null ? null : true
}
