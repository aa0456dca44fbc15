import { FailureError } from '#kernel';

/** The URL of an API server; refuses what would send credentials in the clear or to somewhere odd. */
export function parseServerUrl(text: string): URL {
  const refuse = (why: string): never => {
    throw new FailureError({
      class: 'invalid',
      code: 'api-url-invalid',
      message: `api_server_url ${why}`,
      hint: 'Give an https URL such as https://kube-1.example.org:6443.',
      place: { field: 'api_server_url' },
    });
  };
  if (!URL.canParse(text)) return refuse('is no URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') refuse('must not hold credentials');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') refuse(`has the protocol ${url.protocol}`);
  if (url.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) {
    refuse('is not encrypted; http is for loopback addresses only');
  }
  return url;
}
