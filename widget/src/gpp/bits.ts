/** Bits as GPP strings write them: github.com/InteractiveAdvertisingBureau/Global-Privacy-Platform, "Consent String Specification". */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export const int = (value: number, size: number) => value.toString(2).padStart(size, "0");

/** Of a whole number above zero. */
export function fibonacci(value: number): string {
  const places = [1, 2];
  for (let at = 1; (places[at] as number) <= value; at++) places.push((places[at] as number) + (places[at - 1] as number));
  let bits = "";
  for (const place of places.reverse()) {
    const isIn = place <= value;
    if (isIn) value -= place;
    if (isIn || bits) bits = +isIn + bits;
  }
  return bits + "1";
}

/** Filled up to whole bytes first, as the specification's own strings are and as most readers expect. */
export function base64(bits: string): string {
  for (const size of [8, 6]) bits = bits.padEnd(Math.ceil(bits.length / size) * size, "0");
  return bits.replace(/.{6}/g, (six) => alphabet[parseInt(six, 2)] as string);
}
