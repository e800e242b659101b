// The Responses API, streamed and not.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MODEL, collect, connect, fault, gatewayTest, spare } from './support.mjs';

const client = connect();
const QUESTION = 'What is a wellhead?';
const TOOL = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather in a city',
  strict: true,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
};

test('answer', async () => {
  const answer = await client.responses.create({ model: MODEL, input: QUESTION });

  assert.equal(answer.status, 'completed');
  assert.ok(answer.output_text);
  assert.equal(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens);
});

test('events come in order and add up', async () => {
  const whole = await client.responses.create({ model: MODEL, input: QUESTION, temperature: 0 });
  const stream = await client.responses.create({ model: MODEL, input: QUESTION, temperature: 0, stream: true });
  const events = await collect(stream);

  assert.equal(events[0].type, 'response.created');
  assert.equal(events.at(-1).type, 'response.completed');
  const text = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta);
  assert.equal(text.join(''), whole.output_text);
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index));
});

test('function call', async () => {
  const answer = await client.responses.create({
    model: MODEL,
    input: [{ role: 'user', content: 'Use the tool get_weather for Oslo.' }],
    tools: [TOOL],
  });
  const call = answer.output.find((item) => item.type === 'function_call');

  assert.equal(call.name, 'get_weather');
  assert.ok(JSON.parse(call.arguments).city);
});

gatewayTest('an interrupted stream never looks completed', async () => {
  const seen = [];
  let error;
  try {
    const request = { model: spare('fault'), input: QUESTION, stream: true };
    for await (const event of await client.responses.create(request, fault('reset-after:5'))) seen.push(event);
  } catch (caught) {
    error = caught;
  }

  assert.ok(!seen.some((event) => event.type === 'response.completed'));
  const codes = seen.map((event) => event.code ?? event.response?.error?.code);
  assert.ok([...codes, error?.code].includes('upstream_stream_interrupted'));
});
