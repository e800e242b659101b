// OpenAI's Node SDK, Responses.

export { connect, failure } from './openai.mjs';

export const UNSAYABLE = ['top_k', 'stop', 'seed', 'n', 'presence_penalty', 'frequency_penalty', 'logit_bias'];
const RENAMED = { max_tokens: 'max_output_tokens', parallel: 'parallel_tool_calls' };

function media(turn) {
  const parts = [];
  if (turn.image) {
    parts.push({ type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${turn.image}` });
  }
  if (turn.document) {
    const data = `data:application/pdf;base64,${turn.document}`;
    parts.push({ type: 'input_file', filename: 'paper.pdf', file_data: data });
  }
  return parts;
}

function items(question) {
  return question.turns.flatMap((turn) => {
    if (turn.native) return turn.native;
    if (turn.role === 'results') {
      return turn.results.map(({ id, text }) => ({ type: 'function_call_output', call_id: id, output: text }));
    }
    if (turn.role === 'assistant') return [{ role: 'assistant', content: turn.text }];
    return [{ role: 'user', content: [{ type: 'input_text', text: turn.text }, ...media(turn)] }];
  });
}

function parameters(question) {
  const out = { model: question.model, input: items(question), store: false };
  if (question.system) out.instructions = question.system;
  if (question.tools) {
    out.tools = question.tools.map(({ name, description, schema }) => (
      { type: 'function', name, description, parameters: schema, strict: false }));
  }
  const { choice } = question;
  if (choice) out.tool_choice = typeof choice === 'string' ? choice : { type: 'function', ...choice };
  if (question.schema) {
    out.text = { format: { type: 'json_schema', name: 'answer', schema: question.schema, strict: true } };
  }
  if (question.effort) {
    out.reasoning = { effort: question.effort, summary: 'auto' };
    out.include = ['reasoning.encrypted_content'];
  }
  for (const name of ['max_tokens', 'temperature', 'top_p', 'parallel']) {
    if (name in question) out[RENAMED[name] ?? name] = question[name];
  }
  return out;
}

export async function whole(client, question) {
  return answer(await client.responses.create(parameters(question)), 0);
}

export async function stream(client, question) {
  const events = await client.responses.create({ ...parameters(question), stream: true });
  let [pieces, got, last] = [0, 0, null];
  for await (const event of events) {
    if (event.type === 'response.output_text.delta') pieces += 1;
    if (event.type === 'response.completed' || event.type === 'response.incomplete') last = event.response;
    if (event.type === 'error' || event.type === 'response.failed') {
      const { message } = event.type === 'error' ? event : event.response.error;
      return { error: { class: event.type, status: null, message, param: null } };
    }
    got += 1;
    if (got === question.leave_after) {
      events.controller.abort();
      return { left: true };
    }
  }
  return last ? answer(last, pieces) : { text: '', stop: null, pieces };
}

function answer(response, pieces) {
  const calls = response.output.filter((item) => item.type === 'function_call').map((item) => (
    { id: item.call_id, name: item.name, arguments: JSON.parse(item.arguments) }));
  const thoughts = response.output.filter((item) => item.type === 'reasoning')
    .flatMap((item) => [...item.summary, ...(item.content ?? [])]).map((part) => part.text).join('');
  // The member is the SDK's own: an event in a stream does not have it.
  const text = response.output.filter((item) => item.type === 'message')
    .flatMap((item) => item.content).map((part) => part.text ?? '').join('');
  const stops = { completed: calls.length ? 'tools' : 'stop', incomplete: 'length' };
  const { usage } = response;
  return {
    text,
    texts: [text],
    thoughts,
    calls,
    stop: stops[response.status] ?? response.status,
    usage: {
      input: usage.input_tokens,
      output: usage.output_tokens,
      total: usage.total_tokens,
      thoughts: usage.output_tokens_details.reasoning_tokens,
    },
    pieces,
    native: response.output,
  };
}
