import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../auth/needs.decorator.js';
import { CONTRACT } from '../registry/contract.js';

@Controller('api/docs')
@Public()
export class DocsController {
  /** The contract of `/infrastructure-accounts` and `/kubernetes-clusters`, for generators of clients. */
  @Get('cluster-registry.yaml')
  @Header('Content-Type', 'application/yaml; charset=utf-8')
  contract(): string {
    return CONTRACT;
  }
}
