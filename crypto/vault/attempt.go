package vault

import (
	"errors"
	"fmt"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/oprf"
	"golang.org/x/text/unicode/norm"
)

// ElementSize is the size of what passes between device and hub.
const ElementSize = 32

// ErrEvaluation means that the hub's answer is not an evaluation.
var ErrEvaluation = errors.New("the hub's evaluation can't be used")

// An Attempt is a passcode on its way to its share.
type Attempt struct {
	client  oprf.Client
	data    *oprf.FinalizeData
	blinded []byte
}

// inputLabel keeps the function's outputs from meaning anything elsewhere.
const inputLabel = "causa slot passcode v1\x00"

// Begin blinds a passcode for a slot. The hub learns nothing from [Attempt.Blinded], and
// no two attempts look alike.
func Begin(slot ID, passcode []byte) (*Attempt, error) {
	client := oprf.NewClient(oprf.SuiteRistretto255)
	code := normal(passcode)
	defer clear(code)
	input := append(append([]byte(inputLabel), slot[:]...), code...)
	defer clear(input)
	return begin(client, func() (*oprf.FinalizeData, *oprf.EvaluationRequest, error) {
		return client.Blind([][]byte{input})
	})
}

func begin(client oprf.Client, blind func() (*oprf.FinalizeData, *oprf.EvaluationRequest, error)) (*Attempt, error) {
	data, request, err := blind()
	if err != nil {
		return nil, fmt.Errorf("blind: %w", err)
	}
	blinded, err := request.Elements[0].MarshalBinaryCompress()
	if err != nil {
		return nil, fmt.Errorf("blind: %w", err)
	}
	return &Attempt{client: client, data: data, blinded: blinded}, nil
}

// Blinded is what the hub is to evaluate: [ElementSize] bytes.
func (a *Attempt) Blinded() []byte { return a.blinded }

// Share unblinds the hub's evaluation. Anything that is not a proper element is
// [ErrEvaluation]; an evaluation under another key gives another share.
func (a *Attempt) Share(evaluated []byte) (s Share, err error) {
	e, err := element(evaluated)
	if err != nil {
		return s, err
	}
	out, err := a.client.Finalize(a.data, &oprf.Evaluation{Elements: []oprf.Evaluated{e}})
	if err != nil {
		return s, fmt.Errorf("%w: %w", ErrEvaluation, err)
	}
	copy(s[:], out[0])
	clear(out[0])
	return s, nil
}

// element decodes an element that is not the identity.
func element(b []byte) (group.Element, error) {
	e := group.Ristretto255.NewElement()
	if len(b) != ElementSize {
		return nil, ErrEvaluation
	}
	if err := e.UnmarshalBinary(b); err != nil || e.IsIdentity() {
		return nil, ErrEvaluation
	}
	return e, nil
}

// normal makes one passcode of all the ways in which keyboards write it.
func normal(passcode []byte) []byte { return norm.NFKC.Append(nil, passcode...) }
