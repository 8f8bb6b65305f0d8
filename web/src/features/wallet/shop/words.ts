import { m } from '$messages/messages';

/** As codes have it (EMVCo): nothing but printable ASCII. */
export const ASCII = /^[\x20-\x7e]*$/;
export const MERCHANT_MAX = 25;
export const CITY_MAX = 15;
export const BILL_MAX = 25;
export const TITLE_MAX = 64;
/** As a person's name (wire/names.rs): 2 to 32, a letter or digit at both ends. */
export const NAME = /^[a-z0-9][a-z0-9._-]{0,30}[a-z0-9]$/;

/** A title as codes can have it: without accents, and empty where nothing of it is left. */
export function asciiName(title: string): string {
  const plain = title.normalize('NFKD').replace(/ß/g, 'ss').replace(/[^\x20-\x7e]/g, '');
  return plain.replace(/\s+/g, ' ').trim().slice(0, MERCHANT_MAX).trim();
}

/** The same as a name for the address: `corner-bakery`. */
export function addressName(title: string): string {
  return asciiName(title).toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
}

/** Kinds of business that one finds in a small place (ISO 18245). */
export function kinds(): { mcc: number; label: string }[] {
  return [
    { mcc: 0, label: m.mcc_none() },
    { mcc: 5411, label: m.mcc_grocery() },
    { mcc: 5462, label: m.mcc_bakery() },
    { mcc: 5812, label: m.mcc_restaurant() },
    { mcc: 5814, label: m.mcc_cafe() },
    { mcc: 5499, label: m.mcc_food() },
    { mcc: 5942, label: m.mcc_books() },
    { mcc: 5651, label: m.mcc_clothes() },
    { mcc: 5992, label: m.mcc_flowers() },
    { mcc: 5912, label: m.mcc_pharmacy() },
    { mcc: 7230, label: m.mcc_hair() },
    { mcc: 8299, label: m.mcc_courses() },
    { mcc: 8398, label: m.mcc_charity() },
    { mcc: 7299, label: m.mcc_services() },
  ];
}

/** What one may do there, in a word. */
export function roleName(role: string): string {
  return role === 'owner' ? m.role_owner() : role === 'manager' ? m.shop_manager() : m.shop_cashier();
}

/** What a country is called, by its two letters; none: there is no such one. */
export function countryName(code: string, locale: string): string | null {
  if (!/^[A-Z]{2}$/.test(code)) return null;
  return new Intl.DisplayNames(locale, { type: 'region', fallback: 'none' }).of(code) ?? null;
}
