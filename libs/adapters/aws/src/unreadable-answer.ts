const SHOWN = 300;

/** `HTTP 502 with what is no answer of AWS: "Bad Gateway"`: a body of a proxy or an emulator, without its markup. */
export function explainAnswer(status: number | undefined, body: unknown): string {
  const head =
    status === undefined ? 'what is no answer of AWS' : `HTTP ${status} with what is no answer of AWS`;
  const words = typeof body === 'string' ? withoutMarkup(body) : '';
  return words === '' ? head : `${head}: "${words}"`;
}

const withoutMarkup = (body: string): string =>
  body
    .slice(0, 20_000)
    .replace(/<(style|script|title)\b[^]*?<\/\1>|<[^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, SHOWN);
