import { createServer } from 'node:http';
import { offer } from './offers.js';

/** The service. `close()` lets requests end and tells clients to go elsewhere. */
export function createService({ version, revision }) {
  let visitors = 0;
  let leaving = false;
  const server = createServer((request, response) => {
    // A client that keeps its connection would find it closed with its next request: tell it before.
    if (leaving) response.setHeader('connection', 'close');
    try {
      const { status, body } = answer(request.url);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    } catch (error) {
      console.error(error);
      response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: 'internal' }));
    }
  });

  function answer(url) {
    switch (url) {
      case '/healthz':
        return { status: 200, body: { status: 'ok' } };
      case '/version':
        return { status: 200, body: { version, revision } };
      case '/':
        return { status: 200, body: { version, offer: offer(visitors++) } };
      default:
        return { status: 404, body: { error: 'not found' } };
    }
  }

  return {
    server,
    close() {
      leaving = true;
      return new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
      });
    },
  };
}
