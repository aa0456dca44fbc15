import { callError } from '../errors.js';
import { FLOAT32, FLOAT64, INT, sliceOf, STRING } from '../types.js';
import type { GoType, GoValue } from '../types.js';
import { bytesValue, int, slice, strings, struct } from '../values.js';
import { bytesArg, define, intArg, numberArg } from './define.js';
import type { FunctionTable } from './define.js';
import {
  endpointHost,
  formatNetwork,
  nthAddress,
  parseCidr,
  portRange,
  splitHostPort,
  stupsNatSubnets,
} from './network.js';
import {
  addQuantities,
  formatQuantity,
  NO_QUANTITY,
  parseQuantity,
  scaleQuantity,
  valueOf,
} from './quantity.js';

const structType = (name: string, fields: readonly (readonly [string, GoType])[]): GoType => {
  const members = new Map(fields);
  return { kind: 'struct', name, fields: () => members };
};
const HOST_PORT = structType('config.HostPort', [
  ['Host', STRING],
  ['Port', STRING],
]);
const PORT_RANGE = structType('config.PortRange', [
  ['FromPort', INT],
  ['ToPort', INT],
]);
const INGRESS_RANGE = structType('config.SGIngressRange', [
  ['CIDR', STRING],
  ['FromPort', INT],
  ['ToPort', INT],
  ['Protocol', STRING],
]);

const value = (type: GoType, members: Readonly<Record<string, GoValue>>): GoValue =>
  struct(type, new Map(Object.entries(members)));

function portRanges(input: string): GoValue {
  const ranges = input.split(',').map((text) => {
    const [from = '', to = '', ...rest] = text.split('-');
    if (!text.includes('-') || rest.length > 0) return callError(`invalid input for portRange: ${input}`);
    const range = portRange(from, to, from, input);
    return value(PORT_RANGE, { FromPort: int(range.from), ToPort: int(range.to) });
  });
  return slice(sliceOf(PORT_RANGE), ranges);
}

/** `[protocol:]cidr:port[-port]` */
function ingressRange(text: string, input: string): GoValue {
  const fields = text.split(':');
  if (fields.length !== 2 && fields.length !== 3)
    return callError(`invalid input for sgIngressRanges: ${input}`);
  const protocol = fields.length === 3 ? (fields[0] as string) : 'tcp';
  const [cidr = '', ports = ''] = fields.slice(-2);
  if (protocol !== 'tcp' && protocol !== 'udp') {
    return callError(`invalid protocol '${protocol}' only 'tcp' or 'udp' supported: ${input}`);
  }
  const network = formatNetwork(parseCidr(cidr));
  const [from = '', to = from, ...rest] = ports.split('-');
  if (rest.length > 0) return callError(`invalid input for sgIngressRanges: ${input}`);
  const range = portRange(from, to, from, input);
  return value(INGRESS_RANGE, {
    CIDR: bytesValue(network),
    FromPort: int(range.from),
    ToPort: int(range.to),
    Protocol: bytesValue(protocol),
  });
}

function sumQuantities(args: readonly GoValue[]): GoValue {
  const sum = args.map((_, at) => parseQuantity(bytesArg(args, at))).reduce(addQuantities, NO_QUANTITY);
  return bytesValue(formatQuantity(sum));
}

function scale(args: readonly GoValue[]): GoValue {
  const factor = numberArg(args, 1);
  if (factor <= 0) return callError('scaling factor must be greater than 0.0');
  const text = bytesArg(args, 0);
  try {
    return bytesValue(formatQuantity(scaleQuantity(parseQuantity(text), factor)));
  } catch (error) {
    return callError(`failed to parse ${text} as k8sresource.Quantity: ${(error as Error).message}`);
  }
}

function kiloBytes(args: readonly GoValue[]): GoValue {
  const text = bytesArg(args, 0);
  const quantity = parseQuantity(text);
  if (!quantity.whole) return callError(`unexpected size for quantity: ${text}`);
  return bytesValue(`${BigInt(Math.ceil((Number(valueOf(quantity)) / 1024) * numberArg(args, 1)))}KB`);
}

/** Network addresses, ports and Kubernetes quantities. */
export const AMOUNT_FUNCTIONS: FunctionTable = new Map([
  ['portRanges', define([STRING], (args) => portRanges(bytesArg(args, 0)))],
  [
    'sgIngressRanges',
    define([STRING], (args) => {
      const input = bytesArg(args, 0);
      return slice(
        sliceOf(INGRESS_RANGE),
        input.split(',').map((text) => ingressRange(text, input)),
      );
    }),
  ],
  [
    'splitHostPort',
    define([STRING], (args) => {
      const { host, port } = splitHostPort(bytesArg(args, 0));
      return value(HOST_PORT, { Host: bytesValue(host), Port: bytesValue(port) });
    }),
  ],
  [
    'extractEndpointHosts',
    define([STRING], (args) => strings([...new Set(bytesArg(args, 0).split(',').map(endpointHost))].sort())),
  ],
  [
    'nthAddressFromCIDR',
    define([STRING, INT], (args) => bytesValue(nthAddress(bytesArg(args, 0), intArg(args, 1)))),
  ],
  ['stupsNATSubnets', define([STRING], (args) => strings(stupsNatSubnets(bytesArg(args, 0))))],
  ['sumQuantities', define([STRING], sumQuantities, true)],
  ['scaleQuantity', define([STRING, FLOAT32], scale)],
  ['kubernetesSizeToKiloBytes', define([STRING, FLOAT64], kiloBytes)],
]);
