export type Strength = 0 | 1 | 2 | 3;

const LENGTH_MIN = 10;
const COMMON = /^(?:.*(?:password|passwort|qwerty|letmein|iloveyou|welcome|dragon|football|123456|abcdef|111111).*)$/i;

/**
 * A hint, not a gate: 0 too short, 1 weak, 2 fair, 3 strong. Counts what an attacker must search: length first, then how many
 * different characters there are; runs and well-known words count little.
 */
export function strength(password: string, name = ''): Strength {
  const characters = [...password];
  if (characters.length < LENGTH_MIN) return 0;
  const known = COMMON.test(password) || (name.length > 2 && password.toLowerCase().includes(name.toLowerCase()));
  const runs = characters.filter((character, index) => {
    const step = (character.codePointAt(0) ?? 0) - (characters[index - 1]?.codePointAt(0) ?? 0);
    return index > 0 && Math.abs(step) <= 1;
  }).length;
  const effective = characters.length - runs - (known ? 6 : 0);
  const variety = new Set(characters).size;
  if (effective < 8 || variety < 5) return 1;
  return effective >= 14 && variety >= 8 ? 3 : 2;
}

/** The node's rule for names, so that a mistake is seen before anything is sent. */
export function nameProblem(name: string): 'length' | 'characters' | null {
  const folded = name.trim().toLowerCase();
  if (folded.length < 2 || folded.length > 32) return 'length';
  return /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])$/.test(folded) ? null : 'characters';
}
