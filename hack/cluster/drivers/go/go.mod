module anneal.dev/test-drivers

go 1.25.0

require (
	github.com/container-storage-interface/spec v1.12.0
	k8s.io/kubelet v0.35.4
)
