import { describe, expect, it } from 'vitest';
import { ApiError } from '../api/http';
import { failureOf, Refusal } from './delivery';

describe('failureOf', () => {
  it('tells why the server took nothing', () => {
    const codeOf = (status: number, errcode = 'M_FORBIDDEN'): string => failureOf('upload', new ApiError(status, errcode)).code;
    expect([codeOf(403), codeOf(413), codeOf(507, 'M_RESOURCE_LIMIT_EXCEEDED'), codeOf(418)]).toEqual(['refused', 'too-large', 'full', 'upload']);
    expect([codeOf(403, 'M_USER_LIMIT_EXCEEDED'), codeOf(403, 'M_RESOURCE_LIMIT_EXCEEDED')]).toEqual(['user-limit', 'room-limit']);
  });

  it('keeps the reason of a file that cannot be prepared', () => {
    expect(failureOf('prepare', new Refusal('too-long'))).toEqual({ step: 'prepare', code: 'too-long' });
  });
});
