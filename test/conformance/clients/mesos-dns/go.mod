module slipway.test/mesos-dns

go 1.22

require github.com/mesosphere/mesos-dns v0.6.0

// It was made before modules: these are releases that it compiles with.
require (
	github.com/dgrijalva/jwt-go v2.7.0+incompatible // indirect
	github.com/golang/glog v1.0.0 // indirect
	github.com/mesos/mesos-go v0.0.2 // indirect
	github.com/miekg/dns v1.0.0 // indirect
	github.com/stretchr/testify v1.8.4 // indirect
	github.com/tv42/zbase32 v0.0.0-20160707012821-501572607d02 // indirect
	golang.org/x/crypto v0.18.0 // indirect
	golang.org/x/net v0.20.0 // indirect
	golang.org/x/sys v0.16.0 // indirect
)
