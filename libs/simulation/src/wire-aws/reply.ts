import type { AwsError } from '../aws/aws-error.js';
import { element, escapeXml, XML_HEADER, xmlChildren } from './xml.js';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** How a service talks: `query` and `ec2` answer XML, `json` JSON 1.1, `s3` REST. */
export type Protocol = 'query' | 'ec2' | 'json' | 's3';

const XML = { 'content-type': 'text/xml' };
const JSON_1_1 = { 'content-type': 'application/x-amz-json-1.1' };

export function resultReply(protocol: Protocol, action: string, result: object, requestId: string): Reply {
  if (protocol === 'json')
    return {
      status: 200,
      headers: { ...JSON_1_1, 'x-amzn-requestid': requestId },
      body: JSON.stringify(result),
    };
  const headers = { ...XML, 'x-amzn-requestid': requestId };
  if (protocol === 'ec2') {
    const body = element(`${action}Response`, { requestId, ...result }, 'item');
    return { status: 200, headers, body: XML_HEADER + body };
  }
  const answer = { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } };
  return { status: 200, headers, body: XML_HEADER + element(`${action}Response`, answer, 'member') };
}

export function errorReply(protocol: Protocol, error: AwsError, requestId: string): Reply {
  const { code, message, status } = error;
  if (protocol === 'json') {
    const body = JSON.stringify({ __type: code, message });
    return {
      status,
      headers: { ...JSON_1_1, 'x-amzn-requestid': requestId, 'x-amzn-errortype': code },
      body,
    };
  }
  const headers = {
    ...XML,
    'x-amzn-requestid': requestId,
    ...(protocol === 's3' && { 'x-amz-request-id': requestId }),
  };
  const details = `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message>`;
  if (protocol === 's3') {
    return {
      status,
      headers,
      body: `${XML_HEADER}<Error>${details}<RequestId>${requestId}</RequestId></Error>`,
    };
  }
  if (protocol === 'ec2') {
    const body = `<Response><Errors><Error>${details}</Error></Errors><RequestID>${requestId}</RequestID></Response>`;
    return { status, headers, body: XML_HEADER + body };
  }
  const type = status >= 500 ? 'Receiver' : 'Sender';
  const body = `<ErrorResponse><Error><Type>${type}</Type>${details}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
  return { status, headers, body: XML_HEADER + body };
}

export const s3Xml = (name: string, content: object): string => {
  const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
  return `${XML_HEADER}<${name} xmlns="${namespace}">${xmlChildren(content, 'member')}</${name}>`;
};
