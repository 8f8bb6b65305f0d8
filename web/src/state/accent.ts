/** WCAG 2.2, 1.4.3: text needs 4.5. More than that, because the accent also stands on surfaces that are tinted with it. */
const CONTRAST_MIN = { light: 5.3, dark: 7 };

type Rgb = [number, number, number];

function parse(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

function format(rgb: Rgb): string {
  return `#${rgb.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
}

/** Relative luminance, WCAG 2.2. */
function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast of two colours `#rrggbb`, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [one, other] = [luminance(parse(a)), luminance(parse(b))];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/** The colour nearest to `colour` that can be read as text on `surface`, both `#rrggbb`. */
export function legible(colour: string, surface: string): string {
  const light = luminance(parse(surface)) > 0.3;
  const towards: Rgb = light ? [0, 0, 0] : [255, 255, 255];
  const least = light ? CONTRAST_MIN.light : CONTRAST_MIN.dark;
  const from = parse(colour);
  for (let share = 0; share <= 1; share += 0.04) {
    const mixed = format(from.map((part, index) => part + ((towards[index] ?? 0) - part) * share) as Rgb);
    if (contrast(mixed, surface) >= least) return mixed;
  }
  return format(towards);
}
