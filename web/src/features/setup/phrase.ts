/** Which words are asked for: three, spread over the phrase, another choice each time. Positions from 0. */
export function pickPositions(total: number, random: (below: number) => number = secureBelow): number[] {
  const third = Math.floor(total / 3);
  return [0, 1, 2].map((part) => part * third + random(third));
}

function secureBelow(below: number): number {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return value % below;
}
