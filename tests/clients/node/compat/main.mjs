// The Node clients of the compatibility table: reads questions as lines of JSON, writes answers as lines of JSON. What both
// look like is told in tests/clients/compat/drivers/__init__.py; a question also has `client`, an answer nothing more.
//
//     node main.mjs GATEWAY_URL KEY

import { createInterface } from 'node:readline';

import * as anthropic from './anthropic.mjs';
import * as genai from './genai.mjs';
import * as openai from './openai.mjs';
import * as responses from './responses.mjs';

const [url, key] = process.argv.slice(2);
const CLIENTS = {
  'openai-node': openai,
  'responses-node': responses,
  'anthropic-node': anthropic,
  'genai-node': genai,
};

/** One answer; what is not an error of the SDK is an error of the test. */
async function ask(question) {
  const client = CLIENTS[question.client];
  const unsayable = client.UNSAYABLE.find((name) => name in question);
  if (unsayable) return { unsayable };
  try {
    const connection = client.connect(url, question.key ?? key);
    return await (question.stream ? client.stream(connection, question) : client.whole(connection, question));
  } catch (error) {
    const told = client.failure(error);
    return told ? { error: told } : { broken: error.stack };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await ask(JSON.parse(line)))}\n`);
}
