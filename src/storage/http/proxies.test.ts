import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStorage } from '../open.ts';
import { proxiesOf } from './proxies.ts';

const near = 'localhost,.localhost,127.0.0.0-127.255.255.255,::1,[::1]';

test('proxies are read as Go’s programs read them, their names in capitals first', () => {
  assert.equal(proxiesOf({ NO_PROXY: 'x' }), undefined);
  assert.deepEqual(
    proxiesOf({ HTTP_PROXY: 'proxy.example:3128', http_proxy: 'http://other/', https_proxy: 'https://s' }),
    {
      HTTP_PROXY: 'http://proxy.example:3128/',
      HTTPS_PROXY: 'https://s/',
      NO_PROXY: near,
    },
  );
});

test('what needs no proxy is read as Go’s programs do: names with all below them, networks, addresses, ports', () => {
  const none = 'Example.com, .below.org,*.star.org,10.1.2.3/8,192.168.4.130/25,192.168.1.1,host:8080,*,::2,';
  const read = proxiesOf({ HTTPS_PROXY: 'http://p', no_proxy: none })?.NO_PROXY;
  const entries = [
    ...['.example.com', '*.below.org', '*.star.org', '10.0.0.0-10.255.255.255', '192.168.4.128-192.168.4.255'],
    ...['192.168.1.1', 'host:8080', '*', '::2'],
  ];
  assert.equal(read, `${entries.join(',')},${near}`);
});

test('a proxy that can’t be used is told without its password, and never passed by', async () => {
  for (const [value, code] of [
    ['http://me:hidden@:port', 'usage'],
    ['http://me:hidden%zz@proxy', 'usage'],
    ['socks5://me:hidden@proxy:1080', 'unsupported'],
  ] as const)
    for (const scheme of ['s3', 'rest']) {
      const environment = { HTTP_PROXY: value, AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'x' };
      const asking = async (): Promise<void> => {
        await using storage = await openStorage(`${scheme}:http://10.1.2.3/bucket`, { environment });
        await storage.get('config');
      };
      await assert.rejects(asking(), (error) => {
        assert.ok(error instanceof Error && !error.stack?.includes('hidden') && !error.message.includes('hidden'));
        return 'code' in error && error.code === code;
      });
    }
});
