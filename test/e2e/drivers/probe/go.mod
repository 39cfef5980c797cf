module anneal.dev/test/probe

go 1.21
