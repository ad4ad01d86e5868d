// A limit: Go's own reverse proxy, bytes only. Arguments: port, upstream URL, and for TLS a CONNECT proxy and a CA file.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	upstream := parse(os.Args[2])
	transport := &http.Transport{MaxIdleConnsPerHost: 4096, DisableCompression: true}
	if len(os.Args) > 3 {
		transport.Proxy = http.ProxyURL(parse(os.Args[3]))
		transport.TLSClientConfig = &tls.Config{RootCAs: roots(os.Args[4])}
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(request *httputil.ProxyRequest) { request.SetURL(upstream) },
		Transport:     transport,
		FlushInterval: -1,
	}
	handler := func(response http.ResponseWriter, request *http.Request) {
		// Upstream may answer before it has the whole body; without this the answer is cut now and then.
		_ = http.NewResponseController(response).EnableFullDuplex()
		proxy.ServeHTTP(response, request)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], http.HandlerFunc(handler)))
}

func parse(text string) *url.URL {
	parsed, err := url.Parse(text)
	if err != nil {
		log.Fatal(err)
	}
	return parsed
}

func roots(file string) *x509.CertPool {
	pem, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}
