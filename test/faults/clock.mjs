// Loaded into a service before its program: the clock that JavaScript tells goes back by an hour after 5 s, and by a day
// after 10. Timers go on as they would on a machine whose clock was set.
const RealDate = Date
const began = RealDate.now()

function offset() {
  const age = RealDate.now() - began
  return age < 5000 ? 0 : age < 10_000 ? 3_600_000 : 86_400_000
}

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() - offset())
    else super(...given)
  }

  static now() {
    return RealDate.now() - offset()
  }
}
