// What an application sees when an answer is not possible, and what the SDK does with it.

import assert from 'node:assert/strict';

import OpenAI from 'openai';
import {
  MODEL,
  QUESTION,
  connect,
  eventually,
  failure,
  fault,
  gatewayRequests,
  gatewayTest,
  inject,
  spare,
} from './support.mjs';

const client = connect();
const chat = (options, request, by = client) =>
  by.chat.completions.create({ model: MODEL, messages: QUESTION, ...options }, request);

gatewayTest('a wrong key', async () => {
  const stranger = connect('suite', { apiKey: 'wh-this-key-is-of-nobody-here' });
  const error = await failure(OpenAI.AuthenticationError, chat({}, {}, stranger));

  assert.equal(error.code, 'invalid_api_key');
  assert.equal(error.requestID, error.error.request_id);
});

gatewayTest('an unknown model', async () => {
  const error = await failure(OpenAI.NotFoundError, chat({ model: 'no-such-model' }, {}, connect('narrow')));

  assert.equal(error.code, 'model_not_found');
  assert.ok(error.message.includes(MODEL));
});

gatewayTest("the upstream's own no passes through", async () => {
  const error = await failure(OpenAI.BadRequestError, chat({ messages: 'not a list' }));

  assert.equal(error.type, 'invalid_request_error');
  assert.equal(error.headers.get('x-should-retry'), 'false');
});

gatewayTest('nobody listens', async () => {
  const error = await failure(OpenAI.InternalServerError, chat({ model: spare('down') }));

  assert.equal(error.status, 503);
  assert.equal(error.code, 'no_healthy_upstream');
  assert.equal(error.error.source, 'provider');
  assert.ok(error.error.attempts.length > 0);
  assert.equal(error.requestID, error.error.request_id);
});

for (const [how, status, code] of [
  ['status:500', 503, 'no_healthy_upstream'],
  ['error-in-200', 503, 'no_healthy_upstream'],
  ['status:429,retry-after=7', 429, 'upstream_rate_limited'],
]) {
  gatewayTest(`an upstream that fails: ${how}`, async () => {
    const error = await failure(OpenAI.APIError, chat({ model: spare('fault') }, fault(how)));

    assert.equal(error.status, status);
    assert.equal(error.code, code);
  });
}

gatewayTest('a silent upstream times out', async () => {
  const error = await failure(OpenAI.InternalServerError, chat({ model: spare('slow') }, fault('silence')));

  assert.equal(error.status, 504);
  assert.equal(error.code, 'upstream_timeout');
});

gatewayTest('a limit of the app', async () => {
  const limited = connect('three-a-minute');
  for (let sent = 0; sent < 3; sent += 1) await chat({}, {}, limited);
  const error = await failure(OpenAI.RateLimitError, chat({}, {}, limited));

  assert.equal(error.code, 'rate_limit_exceeded');
  assert.equal(error.headers.get('x-ratelimit-limit-requests'), '3');
  assert.ok(Number(error.headers.get('retry-after')) <= 20);
});

gatewayTest('a lasting failure is asked once', async () => {
  const model = spare('fault');
  const patient = connect('suite', { maxRetries: 2 });
  await failure(OpenAI.InternalServerError, chat({ model }, fault('status:503,retry-after=3600'), patient));

  assert.equal(await eventually(() => gatewayRequests(model), 'the request in the metrics'), 1);
});

gatewayTest('a passing failure is asked again', async () => {
  const model = spare('slow');
  await inject(model, 'status:429,retry-after=2', 1);
  const answer = await chat({ model }, {}, connect('suite', { maxRetries: 2 }));

  assert.ok(answer.choices[0].message.content);
  await eventually(async () => (await gatewayRequests(model)) === 2, 'two requests in the metrics');
});
