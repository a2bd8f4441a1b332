-- Lists are read by cluster and sorted by name: from these indexes, without sorting. They do what the indexes on the
-- cluster alone did.
DROP INDEX server_cluster;
CREATE INDEX server_list ON server (cluster_id, name);
DROP INDEX service_cluster;
CREATE INDEX service_list ON service (cluster_id, name);
DROP INDEX http_soap_cluster;
CREATE INDEX http_soap_list ON http_soap (cluster_id, name, id);
