import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policiesFor, type Policy } from './policy.ts';

function resources({ Statement }: Policy): readonly string[] {
  return Statement.flatMap(({ Resource }) => Resource);
}

test('policies name the bucket as Amazon’s part of the world does, and the prefix literally', () => {
  const of = (address: string): readonly string[] => resources(policiesFor(address).pruner);
  assert.deepEqual(of('s3:s3.eu-west-1.amazonaws.com/shop/a'), [
    'arn:aws:s3:::shop',
    'arn:aws:s3:::shop/a/*',
    'arn:aws:s3:::shop/a/*',
  ]);
  assert.ok(of('s3:s3.cn-north-1.amazonaws.com.cn/shop').includes('arn:aws-cn:s3:::shop/*'));
  assert.ok(of('s3:s3.us-gov-west-1.amazonaws.com/shop').includes('arn:aws-us-gov:s3:::shop/*'));
  assert.ok(of('s3:host/shop/a*b$').includes('arn:aws:s3:::shop/a${*}b${$}/*'));
});

test('a writer removes only what is never locked, and nobody passes a lock by or changes the bucket', () => {
  const { writer, pruner } = policiesFor('s3:host/shop');
  const removals = writer.Statement.filter(({ Action }) => Action.some((action) => action.startsWith('s3:Delete')));
  assert.ok(
    removals.every(({ Resource }) => Resource.every((one) => /shop\/(?:locks|holdfast\/[a-z]+)\/\*$/.test(one))),
  );
  const actions = [writer, pruner].flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action));
  assert.ok(actions.every((action) => /^s3:(?:Get|List|PutObject|DeleteObject|AbortMultipartUpload)/.test(action)));
  assert.ok(!actions.some((action) => /\*|Bypass|LegalHold|Acl/.test(action)));
  assert.ok(!writer.Statement.some(({ Action }) => Action.includes('s3:DeleteObjectVersion')));
});
