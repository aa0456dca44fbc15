import { isEnd } from './nodes.js';
import type { BranchNode, EndNode, ListNode, StatementNode } from './nodes.js';
import { PipelineParser } from './pipeline-parser.js';
import { quoteString } from './quote.js';

const isEmptyTree = (list: ListNode): boolean =>
  list.nodes.every((node) => node.kind === 'text' && node.text.trim() === '');

/** Parses one tree: the whole text, or the body of a `define` or `block`, which has look-ahead and variables of its own. */
export class TreeParser extends PipelineParser {
  private rangeDepth = 0;

  /** Reads to the end of the text and registers it under the file's name. */
  parseAll(): void {
    const root: ListNode = { kind: 'list', pos: this.peek().pos, nodes: [] };
    while (this.peek().type !== 'eof') {
      if (this.peek().type === 'leftDelim') {
        const delimiter = this.next();
        if (this.nextNonSpace().type === 'define') {
          new TreeParser(this.source).parseDefinition();
          continue;
        }
        this.backup2(delimiter);
      }
      const node = this.textOrAction();
      if (isEnd(node)) return this.fail(`unexpected {{${node.kind}}}`);
      root.nodes.push(node);
    }
    this.register(this.source.file, root);
  }

  private parseDefinition(): void {
    const context = 'define clause';
    const token = this.nextNonSpace();
    if (token.type !== 'string' && token.type !== 'rawString') this.unexpected(token, context);
    const name = this.unquoted(token);
    this.expect('rightDelim', context);
    this.register(name, this.body(context));
  }

  private body(context: string): ListNode {
    const { list, end } = this.itemList();
    if (end.kind !== 'end') this.fail(`unexpected {{${end.kind}}} in ${context}`);
    return list;
  }

  private register(name: string, root: ListNode): void {
    const known = this.source.trees.get(name);
    if (known === undefined || isEmptyTree(known)) {
      this.source.trees.set(name, root);
    } else if (!isEmptyTree(root)) {
      this.fail(`template: multiple definition of template ${quoteString(name)}`);
    }
  }

  private itemList(): { list: ListNode; end: EndNode } {
    const list: ListNode = { kind: 'list', pos: this.peekNonSpace().pos, nodes: [] };
    this.enter();
    while (this.peekNonSpace().type !== 'eof') {
      const node = this.textOrAction();
      if (isEnd(node)) {
        this.leave();
        return { list, end: node };
      }
      list.nodes.push(node);
    }
    return this.fail('unexpected EOF');
  }

  private textOrAction(): StatementNode | EndNode {
    const token = this.nextNonSpace();
    if (token.type === 'text') return { kind: 'text', pos: token.pos, text: token.value };
    if (token.type !== 'leftDelim') return this.unexpected(token, 'input');
    this.actionStart = token;
    const node = this.action();
    this.actionStart = undefined;
    return node;
  }

  private action(): StatementNode | EndNode {
    const token = this.nextNonSpace();
    switch (token.type) {
      case 'block':
      case 'template':
        return this.templateAction(token.type);
      case 'break':
      case 'continue':
        return this.jump(token.type, token.pos);
      case 'else':
        return this.otherwise();
      case 'end':
        return { kind: 'end', pos: this.expect('rightDelim', 'end').pos };
      case 'if':
      case 'range':
      case 'with':
        return this.branch(token.type);
      default:
    }
    this.backup();
    const { pos } = this.peek();
    return { kind: 'action', pos, pipe: this.pipeline('command', 'rightDelim') };
  }

  private jump(kind: 'break' | 'continue', pos: number): StatementNode {
    const token = this.nextNonSpace();
    if (token.type !== 'rightDelim') this.unexpected(token, `{{${kind}}}`);
    if (this.rangeDepth === 0) this.fail(`{{${kind}}} outside {{range}}`);
    return { kind, pos };
  }

  private otherwise(): EndNode {
    const peeked = this.peekNonSpace();
    if (peeked.type === 'if' || peeked.type === 'with') return { kind: 'else', pos: peeked.pos };
    return { kind: 'else', pos: this.expect('rightDelim', 'else').pos };
  }

  private templateAction(kind: 'block' | 'template'): StatementNode {
    const context = `${kind} clause`;
    const token = this.nextNonSpace();
    if (token.type !== 'string' && token.type !== 'rawString') this.unexpected(token, context);
    const name = this.unquoted(token);
    if (kind === 'template' && this.nextNonSpace().type === 'rightDelim') {
      return { kind: 'template', pos: token.pos, name };
    }
    if (kind === 'template') this.backup();
    const pipe = this.pipeline(context, 'rightDelim');
    if (kind === 'block') this.blockBody(name, context);
    return { kind: 'template', pos: token.pos, name, pipe };
  }

  private blockBody(name: string, context: string): void {
    const parser = new TreeParser(this.source);
    const { list, end } = parser.itemList();
    if (end.kind !== 'end') this.fail(`unexpected {{${end.kind}}} in ${context}`);
    parser.register(name, list);
  }

  private branch(kind: 'if' | 'range' | 'with'): BranchNode {
    const declared = this.variables.length;
    const pipe = this.pipeline(kind, 'rightDelim');
    if (kind === 'range') this.rangeDepth++;
    const { list, end } = this.itemList();
    if (kind === 'range') this.rangeDepth--;
    const rest = end.kind === 'else' ? this.elseBody(kind, end) : undefined;
    this.variables.length = declared;
    return { kind, pos: pipe.pos, pipe, list, ...(rest && { otherwise: rest }) };
  }

  /** `{{else if x}}` is `{{else}}{{if x}}` whose own `{{end}}` closes both. */
  private elseBody(kind: 'if' | 'range' | 'with', end: EndNode): ListNode {
    if (kind !== 'range' && this.peek().type === kind) {
      this.next();
      this.enter();
      const nested = this.branch(kind);
      this.leave();
      return { kind: 'list', pos: end.pos, nodes: [nested] };
    }
    const { list, end: last } = this.itemList();
    if (last.kind !== 'end') this.fail(`expected end; found {{${last.kind}}}`);
    return list;
  }
}
