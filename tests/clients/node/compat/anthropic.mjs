// Anthropic's Node SDK.

import Anthropic from '@anthropic-ai/sdk';

export const UNSAYABLE = ['seed', 'n', 'presence_penalty', 'frequency_penalty', 'logit_bias'];
const STOPS = { end_turn: 'stop', stop_sequence: 'stop', max_tokens: 'length', tool_use: 'tools' };
// The dialect wants a limit with every question: more than any answer of a scenario has.
const MAX_TOKENS = 4000;
const BUDGETS = { low: 1024, medium: 2048, high: 3000 };
const KINDS = { image: 'image/png', document: 'application/pdf' };
const clients = new Map();

export function connect(url, key) {
  if (!clients.has(key)) {
    clients.set(key, new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0, timeout: 30_000 }));
  }
  return clients.get(key);
}

export function failure(error) {
  if (!(error instanceof Anthropic.AnthropicError)) return null;
  const message = error.error?.error?.message ?? error.message;
  return { class: error.constructor.name, status: error.status ?? null, message, param: null };
}

function messages(question) {
  return question.turns.map((turn) => {
    if (turn.native) return { role: 'assistant', content: turn.native };
    if (turn.role === 'results') {
      const content = turn.results.map(({ id, text }) => ({ type: 'tool_result', tool_use_id: id, content: text }));
      return { role: 'user', content };
    }
    const media = Object.entries(KINDS).filter(([name]) => turn[name]).map(([type, kind]) => (
      { type, source: { type: 'base64', media_type: kind, data: turn[type] } }));
    const content = media.length ? [...media, { type: 'text', text: turn.text }] : turn.text;
    return { role: turn.role, content };
  });
}

/** `tool_choice`, which says about parallel calls too. */
function toolChoice({ choice, parallel }) {
  const alone = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice?.name) return { type: 'tool', name: choice.name, ...alone };
  const kind = { required: 'any', none: 'none' }[choice];
  if (kind) return { type: kind, ...alone };
  return parallel === false ? { type: 'auto', ...alone } : null;
}

function parameters(question) {
  const out = { model: question.model, messages: messages(question), max_tokens: question.max_tokens ?? MAX_TOKENS };
  if (question.system) out.system = question.system;
  if (question.tools) {
    out.tools = question.tools.map(({ name, description, schema }) => ({ name, description, input_schema: schema }));
  }
  const choice = toolChoice(question);
  if (choice) out.tool_choice = choice;
  if (question.schema) out.output_config = { format: { type: 'json_schema', schema: question.schema } };
  if (question.effort) out.thinking = { type: 'enabled', budget_tokens: BUDGETS[question.effort] };
  if (question.stop) out.stop_sequences = question.stop;
  for (const name of ['temperature', 'top_p', 'top_k']) if (name in question) out[name] = question[name];
  return out;
}

/** The newest version of the API refuses sampling; who wants it names the one before. */
function options(question) {
  const samples = ['temperature', 'top_p', 'top_k'].some((name) => name in question);
  return samples ? { headers: { 'anthropic-version': '2023-06-01' } } : {};
}

export async function whole(client, question) {
  return answer(await client.messages.create(parameters(question), options(question)), 0);
}

export async function stream(client, question) {
  const events = client.messages.stream(parameters(question), options(question));
  let [pieces, got] = [0, 0];
  for await (const event of events) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') pieces += 1;
    got += 1;
    if (got === question.leave_after) {
      events.abort();
      return { left: true };
    }
  }
  return answer(await events.finalMessage(), pieces);
}

function answer(message, pieces) {
  const of = (type) => message.content.filter((block) => block.type === type);
  const text = of('text').map((block) => block.text).join('');
  const { usage } = message;
  return {
    text,
    texts: [text],
    thoughts: of('thinking').map((block) => block.thinking).join(''),
    calls: of('tool_use').map(({ id, name, input }) => ({ id, name, arguments: input })),
    stop: STOPS[message.stop_reason] ?? null,
    usage: {
      input: usage.input_tokens,
      output: usage.output_tokens,
      total: usage.input_tokens + usage.output_tokens,
      thoughts: usage.output_tokens_details?.thinking_tokens ?? 0,
    },
    pieces,
    native: message.content,
  };
}
