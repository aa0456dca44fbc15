import type { Budget } from './budget.js';
import { Format } from './format.js';
import { isInteger, isUnsigned, UINT8 } from './types.js';
import type { GoType, GoValue } from './types.js';
import {
  asBigInt,
  asBytes,
  asComplex,
  asFields,
  asNumber,
  inside,
  INVALID,
  items,
  sortedEntries,
  unbox,
} from './values.js';

const NIL = '<nil>';
/** Go prints addresses; ours must not differ from run to run. */
const ADDRESSES = { data: 0x100000010000n, code: 0x401000n };
const MAX_DEPTH = 100;

/** Form and default precision of the verbs of floating-point numbers. */
const FLOAT_FORMS: Readonly<Record<string, readonly [string, number]>> = { v: ['g', -1], F: ['f', 6] };
const floatForm = (verb: string): readonly [string, number] | undefined =>
  'bgGxX'.includes(verb) ? [verb, -1] : 'feE'.includes(verb) ? [verb, 6] : FLOAT_FORMS[verb];

/** Prints values as Go's `fmt` does. One printer serves one call. */
export class Printer {
  readonly format = new Format();
  private out = '';
  private erroring = false;

  constructor(private readonly budget: Budget) {}

  get text(): string {
    return this.out;
  }

  write(bytes: string): void {
    this.budget.allocate(bytes.length);
    this.out += bytes;
  }

  /** Width and precision decide how much is made, so they are charged first. */
  private formatted(make: (format: Format) => string): void {
    this.budget.allocate(this.format.width + this.format.precision);
    this.write(make(this.format));
  }

  badVerb(verb: string, value: GoValue): void {
    this.erroring = true;
    this.write(`%!${verb}(`);
    if (value.t.kind === 'invalid') this.write(NIL);
    else {
      this.write(`${value.t.name}=`);
      this.value(value, 'v', 0);
    }
    this.write(')');
    this.erroring = false;
  }

  /** Prints an argument, which came as `any`: an interface is what it holds, nil is invalid. */
  argument(boxed: GoValue, verb: string): void {
    const value = unbox(boxed);
    if (value.t.kind === 'invalid') {
      if (verb === 'T' || verb === 'v') this.formatted((f) => f.pad(NIL));
      else this.badVerb(verb, INVALID);
      return;
    }
    if (verb === 'T') return this.formatted((f) => f.string(value.t.name));
    if (verb === 'p') return this.pointer(value, 'p');
    this.value(value, verb, 0);
  }

  value(value: GoValue, verb: string, depth: number): void {
    this.budget.step();
    if (depth > MAX_DEPTH) return this.write('...');
    if (!this.erroring && this.special(value, verb, depth)) return;
    const { kind } = value.t;
    if (isInteger(kind)) return this.integer(value, verb);
    switch (kind) {
      case 'invalid':
        return depth > 0 && verb !== 'v'
          ? this.badVerb(verb, value)
          : this.write(depth > 0 ? NIL : '<invalid reflect.Value>');
      case 'bool':
        if (verb !== 't' && verb !== 'v') return this.badVerb(verb, value);
        return this.formatted((f) => f.boolean(value.v as boolean));
      case 'float32':
      case 'float64':
        return this.float(value, asNumber(value), kind === 'float32' ? 32 : 64, verb);
      case 'complex128':
        return this.complex(value, verb);
      case 'string':
        return this.string(value, asBytes(value), verb);
      case 'map':
        return this.map(value, verb, depth);
      case 'struct':
        return this.struct(value, verb, depth);
      case 'interface':
        return this.boxed(value, verb, depth);
      case 'array':
      case 'slice':
        return this.list(value, verb, depth);
      case 'ptr':
        if (depth === 0 && ['array', 'slice', 'struct', 'map'].includes(inside(value).t.kind)) {
          this.write('&');
          return this.value(inside(value), verb, depth + 1);
        }
        return this.pointer(value, verb);
      default:
        return this.pointer(value, verb);
    }
  }

  /** Values that print themselves, and the verb `w`, which is for errors only. */
  private special(value: GoValue, verb: string, depth: number): boolean {
    if (value.t.string && this.printsItself(value, verb)) return true;
    // Go looks into a list of bytes before it refuses the verb.
    if (verb !== 'w' || (depth === 0 && value.t.name === '[]uint8')) return false;
    this.badVerb(verb, value);
    return true;
  }

  private printsItself(value: GoValue, verb: string): boolean {
    if (this.format.sharpV || !['v', 's', 'x', 'X', 'q'].includes(verb) || !value.t.string) return false;
    this.string(value, value.t.string(value), verb);
    return true;
  }

  private integer(value: GoValue, verb: string): void {
    const number = asBigInt(value);
    const bits = number < 0n ? BigInt.asUintN(64, number) : number;
    switch (verb) {
      case 'v':
        if (this.format.sharpV && isUnsigned(value.t.kind)) return this.hex0x(number, true);
        return this.formatted((f) => f.integer(number, 10, verb, false));
      case 'd':
        return this.formatted((f) => f.integer(number, 10, verb, false));
      case 'b':
        return this.formatted((f) => f.integer(number, 2, verb, false));
      case 'o':
      case 'O':
        return this.formatted((f) => f.integer(number, 8, verb, false));
      case 'x':
      case 'X':
        return this.formatted((f) => f.integer(number, 16, verb, verb === 'X'));
      case 'c':
        return this.formatted((f) => f.character(bits));
      case 'q':
        return this.formatted((f) => f.quotedCharacter(bits));
      case 'U':
        return this.formatted((f) => f.unicode(bits));
      default:
        return this.badVerb(verb, value);
    }
  }

  private hex0x(number: bigint, leading: boolean): void {
    const { sharp } = this.format;
    this.format.sharp = leading;
    this.formatted((f) => f.integer(number, 16, 'v', false));
    this.format.sharp = sharp;
  }

  private float(value: GoValue, number: number, bits: 32 | 64, verb: string): void {
    const form = floatForm(verb);
    if (!form) return this.badVerb(verb, value);
    return this.formatted((f) => f.float(number, bits, ...form));
  }

  private complex(value: GoValue, verb: string): void {
    if (!'vbgGxXfFeE'.includes(verb)) return this.badVerb(verb, value);
    const { plus } = this.format;
    this.write('(');
    this.float(value, asComplex(value).re, 64, verb);
    this.format.plus = true;
    this.float(value, asComplex(value).im, 64, verb);
    this.write('i)');
    this.format.plus = plus;
  }

  private string(value: GoValue, bytes: string, verb: string): void {
    switch (verb) {
      case 'v':
        return this.formatted((f) => (f.sharpV ? f.quoted(bytes) : f.string(bytes)));
      case 's':
        return this.formatted((f) => f.string(bytes));
      case 'x':
      case 'X':
        this.budget.allocate(bytes.length * 5);
        return this.formatted((f) => f.hex(bytes, verb === 'X'));
      case 'q':
        return this.formatted((f) => f.quoted(bytes));
      default:
        return this.badVerb(verb, value);
    }
  }

  private pointer(value: GoValue, verb: string): void {
    if (!['func', 'map', 'ptr', 'slice'].includes(value.t.kind)) return this.badVerb(verb, value);
    const address = value.v === null ? 0n : ADDRESSES[value.t.kind === 'func' ? 'code' : 'data'];
    if (verb === 'p') return this.hex0x(address, !this.format.sharp);
    if (verb === 'v') {
      if (this.format.sharpV) {
        this.write(`(${value.t.name})(`);
        if (address === 0n) this.write('nil');
        else this.hex0x(address, true);
        return this.write(')');
      }
      return address === 0n ? this.formatted((f) => f.pad(NIL)) : this.hex0x(address, !this.format.sharp);
    }
    if (!'bodxX'.includes(verb)) return this.badVerb(verb, value);
    this.integer({ t: { kind: 'uintptr', name: 'uintptr' }, v: address }, verb);
  }

  private boxed(value: GoValue, verb: string, depth: number): void {
    if (value.v !== null) return this.value(inside(value), verb, depth + 1);
    this.write(this.format.sharpV ? `${value.t.name}(nil)` : NIL);
  }

  private open(type: GoType, plain: string): void {
    this.write(this.format.sharpV ? `${type.name}{` : plain);
  }

  private separator(index: number): void {
    if (index > 0) this.write(this.format.sharpV ? ', ' : ' ');
  }

  private map(value: GoValue, verb: string, depth: number): void {
    if (this.format.sharpV && value.v === null) return this.write(`${value.t.name}(nil)`);
    this.open(value.t, 'map[');
    sortedEntries(value).forEach(([key, member], index) => {
      this.separator(index);
      this.value(key, verb, depth + 1);
      this.write(':');
      this.value(member, verb, depth + 1);
    });
    this.write(this.format.sharpV ? '}' : ']');
  }

  private struct(value: GoValue, verb: string, depth: number): void {
    this.open(value.t, '{');
    [...asFields(value)].forEach(([name, member], index) => {
      this.separator(index);
      if (this.format.plusV || this.format.sharpV) this.write(`${name}:`);
      this.value(
        member.t.kind === 'interface' && member.v !== null ? inside(member) : member,
        verb,
        depth + 1,
      );
    });
    this.write('}');
  }

  private list(value: GoValue, verb: string, depth: number): void {
    if (value.t.elem?.kind === UINT8.kind && this.bytes(value, verb, depth)) return;
    if (this.format.sharpV && value.v === null) return this.write(`${value.t.name}(nil)`);
    this.open(value.t, '[');
    items(value).forEach((item, index) => {
      this.separator(index);
      this.value(item, verb, depth + 1);
    });
    this.write(this.format.sharpV ? '}' : ']');
  }

  /** Lists of bytes are strings to %s, %q and %x. */
  private bytes(value: GoValue, verb: string, depth: number): boolean {
    const plain = value.t.kind === 'slice' && value.t.name === '[]uint8' && depth === 0;
    if ('sqxX'.includes(verb)) {
      const bytes = items(value)
        .map((item) => String.fromCharCode(Number(asBigInt(item))))
        .join('');
      this.string(value, bytes, verb);
      return true;
    }
    if (!plain || (verb !== 'v' && verb !== 'd')) return false;
    if (this.format.sharpV) {
      if (value.v === null) this.write('[]byte(nil)');
      else {
        this.write('[]byte{');
        items(value).forEach((item, index) => {
          this.separator(index);
          this.hex0x(asBigInt(item), true);
        });
        this.write('}');
      }
      return true;
    }
    this.write('[');
    items(value).forEach((item, index) => {
      this.separator(index);
      this.formatted((f) => f.integer(asBigInt(item), 10, verb, false));
    });
    this.write(']');
    return true;
  }
}
