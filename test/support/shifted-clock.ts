/**
 * Loaded into a program before its own code (NODE_OPTIONS=--import=…), it lets the program believe that it is earlier or
 * later by SHIFT_CLOCK_MS, as on a host whose clock is wrong.
 */
const shiftMs = Number(process.env['SHIFT_CLOCK_MS']);
const RealDate = Date;

class ShiftedDate extends RealDate {
  constructor(value: number | string | Date = ShiftedDate.now()) {
    super(value);
  }

  static override now(): number {
    return RealDate.now() + shiftMs;
  }
}

Object.defineProperty(globalThis, 'Date', { value: ShiftedDate, writable: true, configurable: true });
const instant = Temporal.Now.instant.bind(Temporal.Now);
Temporal.Now.instant = () => instant().add({ milliseconds: shiftMs });
