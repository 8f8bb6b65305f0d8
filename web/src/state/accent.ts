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

/** Hue 0 to 6, saturation and lightness 0 to 1. */
function toHsl(rgb: Rgb): Rgb {
  const [r, g, b] = rgb.map((part) => part / 255) as Rgb;
  const most = Math.max(r, g, b);
  const spread = most - Math.min(r, g, b);
  const lightness = most - spread / 2;
  if (spread === 0) return [0, 0, lightness];
  const hue = most === r ? (g - b) / spread + 6 : most === g ? (b - r) / spread + 2 : (r - g) / spread + 4;
  return [hue % 6, spread / (1 - Math.abs(2 * lightness - 1)), lightness];
}

function fromHsl([hue, saturation, lightness]: Rgb): Rgb {
  const strength = saturation * Math.min(lightness, 1 - lightness);
  const part = (offset: number): number => {
    const at = (offset + hue * 2) % 12;
    return 255 * (lightness - strength * Math.max(-1, Math.min(at - 3, 9 - at, 1)));
  };
  return [part(0), part(8), part(4)];
}

/** The colour nearest to `colour` that can be read as text on `surface`, both `#rrggbb`. Its hue stays. */
export function legible(colour: string, surface: string): string {
  const light = luminance(parse(surface)) > 0.3;
  const least = light ? CONTRAST_MIN.light : CONTRAST_MIN.dark;
  const [hue, saturation, lightness] = toHsl(parse(colour));
  for (let moved = lightness; moved > 0 && moved < 1; moved += light ? -0.02 : 0.02) {
    const bent = moved === lightness ? colour : format(fromHsl([hue, Math.min(saturation, 0.75), moved]));
    if (contrast(bent, surface) >= least) return bent;
  }
  return light ? '#000000' : '#ffffff';
}
