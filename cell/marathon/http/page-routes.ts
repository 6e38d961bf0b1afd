import type { Answer, Request, Route } from './exchange.ts';

/** What people see who open a Marathon in a browser. There is no web interface in the cell, as in a bare build. */
export function pageRoutes(origin: string): readonly Route[] {
  const missing = { GET: (request: Request) => errorPage(request, 404, 'Not Found') };
  return [
    { path: /^\/$/, handlers: { GET: () => redirect(`${origin}/ui/`) } },
    {
      path: /^\/ui$/,
      handlers: { GET: (request) => (request.uri === '/ui' ? redirect('/ui/') : errorPage(request, 404, 'Not Found')) },
    },
    { path: /^\/help$/, handlers: { GET: () => redirect('api-console/index.html') } },
    { path: /^\/public$/, handlers: { GET: (request) => errorPage(request, 403, 'Forbidden') } },
    { path: /^\/(ui|api-console|public)(\/|$)/, handlers: missing },
  ];
}

function redirect(location: string): Answer {
  return { status: 302, headers: { Location: location } };
}

/** The page that Jetty, Marathon's web server, makes of an error. */
export function errorPage({ uri }: Request, status: number, words: string): Answer {
  const shown = uri.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const body = `<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
<title>Error ${status} ${words}</title>
</head>
<body><h2>HTTP ERROR ${status}</h2>
<p>Problem accessing ${shown}. Reason:
<pre>    ${words}</pre></p>
</body>
</html>
`;
  return {
    status,
    body,
    contentType: 'text/html;charset=iso-8859-1',
    headers: { 'Cache-Control': 'must-revalidate,no-cache,no-store' },
  };
}
