import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../auth/needs.decorator.js';
import { CONTRACT } from '../registry/contract.js';

/** The same distance from the source and from the build. */
const DOCUMENT = fileURLToPath(new URL('../../../../docs/api/fairway.yaml', import.meta.url));

@Controller('api/docs')
@Public()
export class DocsController {
  /** The contract of `/infrastructure-accounts` and `/kubernetes-clusters`, for generators of clients. */
  @Get('cluster-registry.yaml')
  @Header('Content-Type', 'application/yaml; charset=utf-8')
  contract(): string {
    return CONTRACT;
  }

  /** OpenAPI 3.1 of `/api/v1`. */
  @Get('fairway.yaml')
  @Header('Content-Type', 'application/yaml; charset=utf-8')
  document(): Promise<string> {
    return readFile(DOCUMENT, 'utf8');
  }
}
