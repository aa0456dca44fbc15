export const frameBegin = (name: string): string => `-----BEGIN FAIRWAY JUNIT ${name}-----`;
export const frameEnd = (name: string, sha256: string): string =>
  `-----END FAIRWAY JUNIT ${name} sha256=${sha256}-----`;

export const BEGIN_LINE = /^-----BEGIN FAIRWAY JUNIT ([A-Za-z0-9._-]{1,255})-----$/;
export const END_LINE = /^-----END FAIRWAY JUNIT ([A-Za-z0-9._-]{1,255}) sha256=([0-9a-f]{64})-----$/;
