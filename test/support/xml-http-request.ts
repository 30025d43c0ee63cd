/**
 * As much of a browser's XMLHttpRequest, over fetch, as a client library for browsers needs to send a request from a
 * test: one that succeeds or fails, without progress, time-outs or cookies.
 */
export function xmlHttpRequest() {
  const headers = new Headers()
  let method = 'GET'
  let url = ''
  let answered = new Headers()
  const request = {
    readyState: 0,
    status: 0,
    statusText: '',
    responseText: '',
    response: '',
    responseURL: '',
    responseType: '',
    timeout: 0,
    onloadend: null as (() => void) | null,
    onerror: null as (() => void) | null,
    open(givenMethod: string, givenUrl: string) {
      method = givenMethod.toUpperCase()
      url = givenUrl
    },
    setRequestHeader: (name: string, value: string) => headers.append(name, value),
    getAllResponseHeaders: () => [...answered].map(([name, value]) => `${name}: ${value}\r\n`).join(''),
    addEventListener: () => undefined,
    abort: () => undefined,
    send(body: string | null) {
      fetch(url, { method, headers, body: body ?? null }).then(
        async response => {
          answered = response.headers
          const text = await response.text()
          const { status, statusText } = response
          Object.assign(request, { readyState: 4, status, statusText, responseURL: response.url })
          Object.assign(request, { responseText: text, response: text })
          request.onloadend?.()
        },
        () => request.onerror?.()
      )
    }
  }
  return request
}
