import type { Budget } from './budget.js';
import { decodeRune, encodeRune } from './bytes.js';
import { Printer } from './printer.js';
import { isInteger } from './types.js';
import type { GoValue } from './types.js';
import { asBigInt, unbox } from './values.js';

const TOO_LARGE = 1_000_000n;

/** Go's `fmt.Sprint`: a blank between two operands when neither is a string. */
export function sprint(args: readonly GoValue[], budget: Budget): string {
  const only = args.length === 1 ? unbox(args[0] as GoValue) : undefined;
  if (only?.t.kind === 'string' && !only.t.string) return only.v as string;
  const printer = new Printer(budget);
  let previous = false;
  args.forEach((arg, index) => {
    const isString = unbox(arg).t.kind === 'string';
    if (index > 0 && !isString && !previous) printer.write(' ');
    printer.argument(arg, 'v');
    previous = isString;
  });
  return printer.text;
}

/** Go's `fmt.Sprintln`. */
export function sprintln(args: readonly GoValue[], budget: Budget): string {
  const printer = new Printer(budget);
  args.forEach((arg, index) => {
    if (index > 0) printer.write(' ');
    printer.argument(arg, 'v');
  });
  printer.write('\n');
  return printer.text;
}

/** One call of `fmt.Sprintf`. */
class Sprintf {
  private readonly printer: Printer;
  private at = 0;
  private arg = 0;
  private reordered = false;
  private goodIndex = true;
  /** The directive so far ended with an index such as `[3]`. */
  private afterIndex = false;

  constructor(
    private readonly template: string,
    private readonly args: readonly GoValue[],
    budget: Budget,
  ) {
    this.printer = new Printer(budget);
  }

  run(): string {
    const { template } = this;
    while (this.at < template.length) {
      const percent = template.indexOf('%', this.at);
      const end = percent < 0 ? template.length : percent;
      if (end > this.at) this.printer.write(template.slice(this.at, end));
      this.at = end + 1;
      if (percent < 0) break;
      if (!this.directive()) break;
    }
    this.extra();
    return this.printer.text;
  }

  /** False at the end of the template. */
  private directive(): boolean {
    const { format } = this.printer;
    this.goodIndex = true;
    this.afterIndex = false;
    format.clear();
    this.flags();
    this.index();
    this.width();
    this.precision();
    if (!this.afterIndex) this.index();
    if (this.at >= this.template.length) {
      this.printer.write('%!(NOVERB)');
      return false;
    }
    const { rune, size } = decodeRune(this.template, this.at);
    this.at += size;
    this.verb(encodeRune(rune));
    return true;
  }

  private verb(verb: string): void {
    const { format } = this.printer;
    if (verb === '%') return this.printer.write('%');
    if (!this.goodIndex) return this.printer.write(`%!${verb}(BADINDEX)`);
    const value = this.args[this.arg];
    if (value === undefined) return this.printer.write(`%!${verb}(MISSING)`);
    if (verb === 'v' || verb === 'w') {
      format.sharpV = format.sharp;
      format.sharp = false;
      format.plusV = format.plus;
      format.plus = false;
    }
    this.arg++;
    this.printer.argument(value, verb);
  }

  private flags(): void {
    const { format } = this.printer;
    for (; this.at < this.template.length; this.at++) {
      switch (this.template[this.at]) {
        case '#':
          format.sharp = true;
          break;
        case '0':
          format.zero = true;
          break;
        case '+':
          format.plus = true;
          break;
        case '-':
          format.minus = true;
          break;
        case ' ':
          format.space = true;
          break;
        default:
          return;
      }
    }
  }

  /** `[n]` before a width, a precision or a verb. */
  private index(): void {
    this.afterIndex = false;
    if (this.template[this.at] !== '[') return;
    this.reordered = true;
    const rest = this.template.slice(this.at);
    const close = rest.length < 3 ? -1 : rest.indexOf(']');
    if (close < 1) {
      this.at += 1;
      this.goodIndex = false;
      return;
    }
    this.at += close + 1;
    const digits = rest.slice(1, close);
    const wanted = /^\d{1,7}$/.test(digits) ? Number(digits) - 1 : -1;
    const parsed = /^\d{1,7}$/.test(digits);
    if (parsed && wanted >= 0 && wanted < this.args.length) {
      this.arg = wanted;
      this.afterIndex = true;
      return;
    }
    this.goodIndex = false;
    this.afterIndex = parsed;
  }

  /** Digits of a width or precision; undefined where there are none or too many. */
  private digits(): number | undefined {
    const text = /^\d+/.exec(this.template.slice(this.at, this.at + 32))?.[0];
    if (text === undefined) return undefined;
    let value = 0;
    for (const digit of text) {
      if (value > 1_000_000) {
        this.at = this.template.length;
        return undefined;
      }
      value = value * 10 + Number(digit);
      this.at++;
    }
    return value;
  }

  private starred(): number | undefined {
    const value = this.args[this.arg];
    if (value === undefined) return undefined;
    this.arg++;
    const inner = unbox(value);
    if (!isInteger(inner.t.kind)) return undefined;
    const number = asBigInt(inner);
    return number > TOO_LARGE || number < -TOO_LARGE ? undefined : Number(number);
  }

  private width(): void {
    const { format } = this.printer;
    if (this.template[this.at] === '*') {
      this.at++;
      const width = this.starred();
      if (width === undefined) this.printer.write('%!(BADWIDTH)');
      else {
        format.width = Math.abs(width);
        format.hasWidth = true;
        if (width < 0) {
          format.minus = true;
          format.zero = false;
        }
      }
      this.afterIndex = false;
      return;
    }
    const width = this.digits();
    if (width === undefined) return;
    format.width = width;
    format.hasWidth = true;
    if (this.afterIndex) this.goodIndex = false;
  }

  private precision(): void {
    const { format } = this.printer;
    if (this.template[this.at] !== '.' || this.at + 1 >= this.template.length) return;
    this.at++;
    if (this.afterIndex) this.goodIndex = false;
    this.index();
    if (this.template[this.at] !== '*') {
      format.precision = this.digits() ?? 0;
      format.hasPrecision = true;
      return;
    }
    this.at++;
    const precision = this.starred();
    if (precision === undefined || precision < 0) this.printer.write('%!(BADPREC)');
    else {
      format.precision = precision;
      format.hasPrecision = true;
    }
    this.afterIndex = false;
  }

  private extra(): void {
    if (this.reordered || this.arg >= this.args.length) return;
    this.printer.format.clear();
    this.printer.write('%!(EXTRA ');
    this.args.slice(this.arg).forEach((arg, index) => {
      if (index > 0) this.printer.write(', ');
      const value = unbox(arg);
      if (value.t.kind === 'invalid') return this.printer.write('<nil>');
      this.printer.write(`${value.t.name}=`);
      this.printer.argument(value, 'v');
    });
    this.printer.write(')');
  }
}

/** Go's `fmt.Sprintf`. */
export const sprintf = (template: string, args: readonly GoValue[], budget: Budget): string =>
  new Sprintf(template, args, budget).run();
