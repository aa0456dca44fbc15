module fairway.dev/template-oracle

go 1.22
