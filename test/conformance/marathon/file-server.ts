/**
 * Serves the files of its working folder on 127.0.0.1, in the words of Python's `http.server`, which recorders used:
 *
 *     node file-server.ts PORT
 *
 * There is a file `listening` as soon as it answers.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const NOT_FOUND = `<!DOCTYPE HTML>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <title>Error response</title>
    </head>
    <body>
        <h1>Error response</h1>
        <p>Error code: 404</p>
        <p>Message: File not found.</p>
        <p>Error code explanation: 404 - Nothing matches the given URI.</p>
    </body>
</html>
`;

createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html;charset=utf-8');
  const found = existsSync(`.${request.url}`);
  response.statusCode = found ? 200 : 404;
  response.end(found ? '' : NOT_FOUND);
}).listen(Number(process.argv[2]), '127.0.0.1', () => writeFileSync('listening', ''));
