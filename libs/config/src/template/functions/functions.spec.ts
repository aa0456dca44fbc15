import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toText } from '../bytes.js';
import { callError } from '../errors.js';
import { executeTemplate } from '../execute.js';
import { parseTemplate } from '../parse.js';
import { anyMap, int, int64, str, stringMap, strings } from '../values.js';
import { dialectFunctions } from './index.js';

const functions = dialectFunctions(
  {
    amiId: (name, owner) => (name === 'node' && owner === '1' ? 'ami-1' : callError(`no image ${name}`)),
    instanceType: (type) =>
      type === 'm5.large'
        ? { vcpus: 2, memoryBytes: 8 * 2 ** 30 }
        : callError(`unknown instance type: ${type}`),
  },
  (file) => `hash-of-${file}`,
);

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const data = anyMap(
  new Map([
    ['subnets', stringMap({ 'eu-central-1a': 'a', 'eu-central-1b': 'b', '*': 'a,b' })],
    ['list', strings(['x', 'y'])],
    ['n', int(3)],
    ['n64', int64(6)],
    ['key', str(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString())],
    ['key8', str(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())],
    ['public', str(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString())],
  ]),
);
const render = (template: string): string =>
  toText(executeTemplate(parseTemplate('t', template, { functions }), data, { functions }));

describe('functions give', () => {
  it.each([
    ['{{split "a,b" ","}} {{len (split "" ",")}} {{split "é☺" ""}}', '[a b] 0 [é ☺]'],
    [
      '{{join "," .list}} {{join "-" (list 1 nil "a" true)}} {{join "," "x"}} {{join "," nil}}|',
      'x,y 1-a-true x |',
    ],
    ['{{indent 2 "a\nb"}}'.replace('\n', '\\n'), '  a\n  b'],
    ['{{hasPrefix "abc" "ab"}} {{hasSuffix "abc" "x"}}', 'true false'],
    [
      '{{(dict "a" 1 "b" "x").b}} {{index (dict "a" 1) "zz"}} {{print (index (dict "a" 1) "zz")}}',
      'x <no value> <nil>',
    ],
    ['{{list 1 "a"}} {{append .list "z" "w"}} {{.list}}', '[1 a] [x y z w] [x y]'],
    ['{{indexedList "a$.b$" 3}}|{{indexedList "x" 0}}|{{indexedList "" 3}}', 'a0.b0,a1.b1,a2.b2||,,'],
    [
      '{{base64 "é"}} {{base64Decode "w6k="}} {{sha256 ""}}',
      'w6k= é e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    ],
    ['{{parseInt64 "-12"}} {{parseInt64 "+7"}}', '-12 7'],
    ['{{"a.yaml" | manifestHash}}', 'hash-of-a.yaml'],
    [
      '{{sumQuantities "2" "256m" "-1"}} {{sumQuantities "2Gi" "-512Mi"}} {{sumQuantities "2Gi" "-1024Ki"}} {{sumQuantities "0" "1Gi"}} {{sumQuantities}}',
      '1256m 1536Mi 2047Mi 1Gi 0',
    ],
    [
      '{{sumQuantities "1.5" "0.25"}} {{sumQuantities "1k" "1"}} {{sumQuantities "1e3" "1e3"}} {{sumQuantities "100n" "1u"}}',
      '1750m 1001 2e3 1100n',
    ],
    [
      '{{scaleQuantity "10" 0.5}} {{scaleQuantity "256m" 0.5}} {{scaleQuantity "1Gi" 0.5}} {{scaleQuantity "2.5Gi" 1.0}} {{scaleQuantity "1.0Gi" 1.5}}',
      '5 128m 512Mi 2560Mi 1536Mi',
    ],
    [
      '{{kubernetesSizeToKiloBytes "1Ki" 1}} {{kubernetesSizeToKiloBytes "1Gi" 0.5}} {{kubernetesSizeToKiloBytes "4Gi" 0.8}}',
      '1KB 524288KB 3355444KB',
    ],
    ['{{instanceTypeCPUQuantity "m5.large"}} {{instanceTypeMemoryQuantity "m5.large"}}', '2 8Gi'],
    ['{{amiID "node" "1"}}', 'ami-1'],
    [
      '{{getAWSAccountID "aws:123"}} {{accountID "aws:123"}} {{awsValidID "aws:1:eu:k"}}',
      '123 123 aws__1__eu__k',
    ],
    ['{{azID "eu-central-1a"}} {{azCount .subnets}} {{asgSize .n64 .n}} {{asgSize 0 3}}', '1a 2 2 0'],
    [
      '{{nodeCIDRMaxNodes 24 10}} {{nodeCIDRMaxNodesPodCIDR 15 24 0}} {{nodeCIDRMaxPods 24 0}} {{nodeCIDRMaxPods 27 5}}',
      '246 512 110 21',
    ],
    [
      '{{stupsNATSubnets "172.31.0.0/16"}} {{stupsNATSubnets "10.153.192.0/19"}}',
      '[172.31.64.0/28 172.31.64.16/28 172.31.64.32/28] [10.153.200.0/28 10.153.200.16/28 10.153.200.32/28]',
    ],
    ['{{range portRanges "80-90,443-443"}}{{.FromPort}}:{{.ToPort}} {{end}}', '80:90 443:443 '],
    [
      '{{range sgIngressRanges "10.1.2.3/8:80-81,udp:0.0.0.0/0:53"}}{{.CIDR}} {{.FromPort}} {{.ToPort}} {{.Protocol}};{{end}}',
      '10.0.0.0/8 80 81 tcp;0.0.0.0/0 53 53 udp;',
    ],
    [
      '{{with splitHostPort "[::1]:80"}}{{.Host}} {{.Port}}{{end}} {{(splitHostPort "a.b:1").Host}}',
      '::1 80 a.b',
    ],
    ['{{extractEndpointHosts "http://b.org:1,a.org:2,https://b.org:3/x"}}', '[a.org b.org]'],
    [
      '{{nthAddressFromCIDR "10.3.0.5/16" 10}} {{nthAddressFromCIDR "fd00::/64" 2}} {{nthAddressFromCIDR "10.0.0.0/8" 256}}',
      '10.3.0.10 fd00::2 10.0.0.0',
    ],
    ['{{mountUnitName "/var/lib/x"}}', 'var-lib-x'],
    ['{{toJson (dict "b" 1 "a" (list "<x>" nil 1.5))}}', '{"a":["\\u003cx\\u003e",null,1.5],"b":1}'],
    [
      '{{toYaml (dict "b" (list 1 "two") "a" (dict "k" "yes" "nn" nil "e" ""))}}',
      'a:\n  e: ""\n  k: "yes"\n  nn: null\nb:\n- 1\n- two',
    ],
    [
      '{{toYaml (list (dict "a" 1 "b" 2) "x: y" "# c" "it\'s: 1")}}',
      "- a: 1\n  b: 2\n- 'x: y'\n- '# c'\n- 'it''s: 1'",
    ],
    ['{{toYaml (dict "t" "a\nb")}}'.replace('\n', '\\n'), 't: |-\n  a\n  b'],
    ['{{(fromYaml "a: [1, {b: c}]").a}}', '[1 map[b:c]]'],
    [
      '{{quote "a\\"b" 1 nil}} {{default "d" ""}} {{default "d" "x"}} {{"" | default 5}} {{required "why" "v"}}',
      '"a\\"b" "1" d x 5 v',
    ],
    [
      '{{lower "ÄB"}} {{upper "äb"}} {{trim " a "}} {{replace "a" "$&" "banana"}} {{contains "an" "banana"}} {{ternary "y" "n" true}}',
      'äb ÄB a b$&n$&n$& true y',
    ],
  ])('%s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  it('public keys, key sets and discovery documents', () => {
    const spki = createPublicKey(
      createPrivateKey(privateKey.export({ type: 'pkcs1', format: 'pem' })),
    ).export({ type: 'spki', format: 'pem' });
    expect(render('{{publicKey .key}}')).toBe(spki.toString());
    const { keys } = JSON.parse(render('{{publicKey .key | generateJWKSDocument}}')) as {
      keys: Record<string, string>[];
    };
    expect(keys.map(({ alg, kty, use, kid }) => [alg, kty, use, kid?.length])).toEqual([
      ['RS256', 'RSA', 'sig', 43],
      ['RS256', 'RSA', 'sig', 0],
    ]);
    expect(JSON.parse(render('{{generateOIDCDiscoveryDocument "https://k.example.org"}}'))).toMatchObject({
      issuer: 'https://k.example.org',
      jwks_uri: 'https://k.example.org/openid-configuration/keys.json',
    });
  });
});

describe('functions refuse, by name,', () => {
  it.each([
    ['{{dict}}', 'error calling dict: dict: invalid number of arguments: 0'],
    ['{{dict "a" 1 "a" 2}}', 'duplicate key a'],
    ['{{dict 1 2}}', 'key argument 0 must be string'],
    ['{{append (list "a") "b"}}', 'wrong type for value; expected []string; got []interface {}'],
    ['{{indexedList "a" -1}}', 'expecting non-negative integer, got: -1'],
    ['{{base64Decode "%"}}', 'illegal base64 data at input byte 0'],
    ['{{parseInt64 "x"}}', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['{{parseInt64 "9223372036854775808"}}', 'value out of range'],
    ['{{sumQuantities "x"}}', 'quantities must match'],
    ['{{scaleQuantity "1" 0.0}}', 'scaling factor must be greater than 0.0'],
    ['{{scaleQuantity "1" .n}}', 'wrong type for value; expected float32; got int'],
    ['{{kubernetesSizeToKiloBytes "1.5Gi" 1}}', 'unexpected size for quantity: 1.5Gi'],
    ['{{amiID "other" "1"}}', 'error calling amiID: no image other'],
    ['{{instanceTypeCPUQuantity "x9"}}', 'unknown instance type: x9'],
    ['{{getAWSAccountID "x"}}', 'index out of range [1] with length 1'],
    ['{{accountID "x"}}', 'invalid account (expected type:id): x'],
    ['{{asgSize 4 3}}', 'pool size must be an exact multiple of 3'],
    ['{{asgSize 4 0}}', 'integer divide by zero'],
    ['{{asgSize .n 3}}', 'wrong type for value; expected int64; got int'],
    ['{{nodeCIDRMaxPods 19 0}}', 'invalid value for maskSize: 19'],
    ['{{nodeCIDRMaxNodesPodCIDR 13 24 0}}', 'invalid for podCIDRMaskSize: 13'],
    ['{{stupsNATSubnets "10.0.0.0/25"}}', 'expecting at least /24'],
    ['{{stupsNATSubnets "2001::/19"}}', 'only ipv4'],
    ['{{portRanges "80"}}', 'invalid input for portRange: 80'],
    ['{{portRanges "90-80"}}', 'port range 90-80 is invalid'],
    ['{{portRanges "1-65536"}}', 'is invalid'],
    ['{{sgIngressRanges "icmp:10.0.0.0/8:1"}}', "invalid protocol 'icmp'"],
    ['{{sgIngressRanges "10.0.0.0:1"}}', 'invalid CIDR address: 10.0.0.0'],
    ['{{splitHostPort "a"}}', 'missing port in address'],
    ['{{splitHostPort "::1:1"}}', 'too many colons'],
    ['{{nthAddressFromCIDR "10.0.0.300/8" 1}}', 'invalid CIDR address'],
    ['{{mountUnitName "a"}}', 'not an absolute path: a'],
    ['{{publicKey "x"}}', 'no PEM data found'],
    ['{{publicKey .key8}}', 'failed to parse private key'],
    ['{{certificateExpiry .public}}', 'malformed certificate'],
    ['{{generateJWKSDocument "x"}}', 'Error decoding serviceAccountKey'],
    ['{{required "shop_key is needed" ""}}', 'shop_key is needed'],
    ['{{fromYaml "a: [" }}', 'invalid YAML'],
    ['{{join 1 .list}}', 'expected string; found 1'],
    ['{{azCount (dict "a" 1)}}', 'expected map[string]string; got map[string]interface {}'],
  ])('%s', (template, reason) => {
    expect(() => render(template)).toThrow(reason);
  });
});
