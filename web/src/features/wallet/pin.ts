/** Digits of a payment PIN. */
export const PIN_DIGITS = 6;

/** Whether it is among those that anybody tries first: one digit again and again, or all in a row. */
export function isSimple(pin: string): boolean {
  const steps = new Set(Array.from(pin).slice(1).map((digit, index) => (Number(digit) - Number(pin[index]) + 10) % 10));
  return steps.size === 1 && [0, 1, 9].some((step) => steps.has(step));
}
