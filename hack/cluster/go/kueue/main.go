// Command kueue runs Kueue's own controllers and scheduler as one process beside a control plane.
//
// Kueue's cmd/kueue reads certificates for its webhooks from fixed paths of its image and waits for a Service to reach it;
// here both the webhooks and the job integrations are left out: whoever uses it writes Workloads itself.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	configapi "sigs.k8s.io/kueue/apis/config/v1beta2"
	kueue "sigs.k8s.io/kueue/apis/kueue/v1beta2"
	qcache "sigs.k8s.io/kueue/pkg/cache/queue"
	schdcache "sigs.k8s.io/kueue/pkg/cache/scheduler"
	"sigs.k8s.io/kueue/pkg/config"
	"sigs.k8s.io/kueue/pkg/constants"
	"sigs.k8s.io/kueue/pkg/controller/core"
	"sigs.k8s.io/kueue/pkg/controller/core/indexer"
	"sigs.k8s.io/kueue/pkg/controller/tas"
	tasindexer "sigs.k8s.io/kueue/pkg/controller/tas/indexer"
	"sigs.k8s.io/kueue/pkg/scheduler"
)

func main() {
	file := flag.String("config", "", "file with Kueue's Configuration")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(ctrl.SetupSignalHandler(), *file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string) error {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(kueue.AddToScheme(scheme))
	utilruntime.Must(configapi.AddToScheme(scheme))
	options, cfg, err := config.Load(scheme, file)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	manager, err := ctrl.NewManager(ctrl.GetConfigOrDie(), options)
	if err != nil {
		return err
	}
	if err := manager.AddReadyzCheck("readyz", healthz.Ping); err != nil {
		return err
	}
	cache := schdcache.New(manager.GetClient())
	requeuer := qcache.NewRequeuer(qcache.RequeueBatchPeriodProd)
	if err := manager.Add(requeuer); err != nil {
		return err
	}
	queues := qcache.NewManager(manager.GetClient(), cache, requeuer)
	if err := setUp(ctx, manager, queues, cache, &cfg); err != nil {
		return err
	}
	go queues.CleanUpOnContext(ctx)
	go cache.CleanUpOnContext(ctx)
	if err := manager.Add(scheduler.New(queues, cache, manager.GetClient(), manager.GetEventRecorderFor(constants.AdmissionName))); err != nil {
		return err
	}
	return manager.Start(ctx)
}

func setUp(ctx context.Context, manager ctrl.Manager, queues *qcache.Manager, cache *schdcache.Cache, cfg *configapi.Configuration) error {
	if err := indexer.Setup(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	if err := tasindexer.SetupIndexes(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	if failed, err := core.SetupControllers(manager, queues, cache, cfg, nil); err != nil {
		return fmt.Errorf("controller of %s: %w", failed, err)
	}
	if failed, err := tas.SetupControllers(manager, queues, cache, cfg, nil); err != nil {
		return fmt.Errorf("controller of %s: %w", failed, err)
	}
	return nil
}
