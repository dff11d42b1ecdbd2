package columns

import (
	"maps"
	"slices"
	"strings"
	"time"

	"thinmount/cmd/thin-snap/internal/table"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

// property returns the column of one property.
func property(key string) table.Column[thin.VolumeInfo] {
	return table.Left(key, key, "",
		func(i thin.VolumeInfo) any { return nonEmpty(i.Properties[key]) })
}

// eachProperty returns a column for each property that a volume has.
func eachProperty(i thin.VolumeInfo) (all []table.Column[thin.VolumeInfo]) {
	for _, key := range slices.Sorted(maps.Keys(i.Properties)) {
		all = append(all, property(key))
	}
	return all
}

// joined returns all properties as one text.
func joined(p thin.Properties) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(p)) {
		all = append(all, key+"="+p[key])
	}
	return strings.Join(all, ",")
}

// freeColumn returns the column of a property, if name is the name of one.
func freeColumn(name string) (c table.Column[thin.VolumeInfo], is bool, err error) {
	if !thin.IsPropertyKey(name) {
		return c, false, nil
	}
	if err := thin.CheckPropertyKey(name); err != nil {
		return c, false, usage.Errorf("%v", err)
	}
	return property(name), true, nil
}

// orEmpty makes JSON have {} and not null for no properties.
func orEmpty(p thin.Properties) thin.Properties {
	if p == nil {
		return thin.Properties{}
	}
	return p
}

// Property is one property or column of a volume.
type Property struct {
	Volume thin.Volume
	Key    string
	Value  any // as a column has it
}

// PropertyOf returns a property of a volume, or one of its columns. ok is false
// if the volume does not have the property. The error says that no volume can
// have it.
func PropertyOf(i thin.VolumeInfo, key string) (p Property, ok bool, err error) {
	c, err := Volumes("").Column(key)
	if err != nil {
		return p, false, err
	}
	p = Property{i.Volume, key, c.Value(i)}
	return p, p.Value != nil || !thin.IsPropertyKey(key), nil
}

// propertyJSON has the JSON fields of a property.
type propertyJSON struct {
	Property string `json:"property"`
	Value    any    `json:"value"`
	Name     string `json:"name"`
}

// Properties returns the listing of properties of a volume for a command, which
// is named in JSON.
func Properties(command string) *table.Listing[Property] {
	return &table.Listing[Property]{
		Command: command, Key: "properties", Defaults: "property,value",
		Columns: []table.Column[Property]{
			table.Left("property", "PROPERTY", "its key", func(p Property) any { return p.Key }),
			table.Left("value", "VALUE", "its value", func(p Property) any { return p.Value }),
			table.Left("name", "NAME", "pool/volume",
				func(p Property) any { return p.Volume.String() }),
		},
		Record: func(p Property) any {
			if t, is := p.Value.(time.Time); is {
				p.Value = table.Time(t)
			}
			return propertyJSON{p.Key, p.Value, p.Volume.String()}
		},
	}
}
