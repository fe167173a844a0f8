// SPDX-License-Identifier: Apache-2.0

// What prometheus-operator is given, by its own types.
package main

import (
	"path/filepath"
	"reflect"
	"slices"
	"strconv"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/types"
)

const ruleJob = "canaryd" // that the rules are about

// The shards' service is what is scraped, as the job and the port that the rules and it name.
func checkMonitor(monitor monitoringv1.ServiceMonitor, service corev1.Service) {
	if monitor.Spec.JobLabel != "" || service.Name != ruleJob {
		complain("the job would be %q of %q, not %s", monitor.Spec.JobLabel, service.Name, ruleJob)
	}
	if monitor.Spec.Selector.MatchLabels["app.kubernetes.io/name"] != "canaryd" {
		complain("the monitor does not select canaryd's service")
	}
	if len(monitor.Spec.Endpoints) != 1 {
		complain("the monitor has %d endpoints", len(monitor.Spec.Endpoints))
		return
	}
	endpoint := monitor.Spec.Endpoints[0]
	if endpoint.Port != service.Spec.Ports[0].Name || endpoint.Path != "/metrics" {
		complain("the monitor asks %s of port %s", endpoint.Path, endpoint.Port)
	}
	named := slices.ContainsFunc(endpoint.RelabelConfigs, func(each *monitoringv1.RelabelConfig) bool {
		return each.TargetLabel == "instance" && len(each.SourceLabels) == 1 &&
			each.SourceLabels[0] == "__meta_kubernetes_pod_name"
	})
	if !named {
		complain("an instance would be another one after each restart")
	}
}

// The same rules, to the letter.
func checkRules(rule monitoringv1.PrometheusRule, rules string) {
	var shipped monitoringv1.PrometheusRuleSpec
	read(filepath.Dir(rules), filepath.Base(rules), &shipped)
	if len(shipped.Groups) == 0 || !reflect.DeepEqual(rule.Spec, shipped) {
		complain("prometheusrule.yaml does not hold the rules of %s", rules)
	}
}

// Each shard's /sd is asked.
func checkTargets(scrapes monitoringv1alpha1.ScrapeConfig, replicas int) {
	if len(scrapes.Spec.HTTPSDConfigs) != replicas {
		complain("%d of %d shards are asked for their probes", len(scrapes.Spec.HTTPSDConfigs), replicas)
	}
	for index, each := range scrapes.Spec.HTTPSDConfigs {
		want := "http://canaryd-" + strconv.Itoa(index) + ".canaryd.canaryd.svc:9732/sd"
		if each.URL != want {
			complain("scrapeconfig.yaml asks %s, not %s", each.URL, want)
		}
	}
}

func checkOperator(folder, rules string, service corev1.Service, replicas int) {
	var kustomization types.Kustomization
	var monitor monitoringv1.ServiceMonitor
	var rule monitoringv1.PrometheusRule
	var scrapes monitoringv1alpha1.ScrapeConfig
	read(folder, "kustomization.yaml", &kustomization)
	read(folder, "servicemonitor.yaml", &monitor)
	read(folder, "prometheusrule.yaml", &rule)
	read(folder, "scrapeconfig.yaml", &scrapes)
	for _, file := range []string{"servicemonitor.yaml", "prometheusrule.yaml"} {
		if !slices.Contains(kustomization.Resources, file) {
			complain("the operator's kustomization does not name %s", file)
		}
	}
	for _, each := range []struct{ version, kind, want string }{
		{monitor.APIVersion, monitor.Kind, "monitoring.coreos.com/v1 ServiceMonitor"},
		{rule.APIVersion, rule.Kind, "monitoring.coreos.com/v1 PrometheusRule"},
		{scrapes.APIVersion, scrapes.Kind, "monitoring.coreos.com/v1alpha1 ScrapeConfig"}} {
		if each.version+" "+each.kind != each.want {
			complain("%s %s is no %s", each.version, each.kind, each.want)
		}
	}
	checkMonitor(monitor, service)
	checkRules(rule, rules)
	checkTargets(scrapes, replicas)
}
